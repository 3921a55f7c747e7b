//! The examples of the OpenAPI document: one guest, one host, one home and what becomes of a stay
//! there, under the same ids throughout, so that an answer of one route can be found again in the
//! requests of others. Tests send each body and compare each answer with what comes.

use serde_json::{Value, json};

const GUEST: &str = "01987a2c-3f10-7c41-9d52-6b8e0a4f1c01";
const HOST: &str = "01987a2c-3f10-7c41-9d52-6b8e0a4f1c02";
const PROPERTY: &str = "01987a2d-5b20-7a33-8e64-2f9c7d1b5a17";
const BOOKING: &str = "01987a2e-7c30-7d15-b1f0-93ac4e625a17";
const BLOCK: &str = "01987a2e-8a11-7f02-9c4e-1d2b3c4d5a17";
const PAYMENT: &str = "01987a2e-9d40-7e28-a2c1-45bd6f735a17";
const REFUND: &str = "01987a31-4f20-7b6a-93c5-0e7d2a815a17";
const QUOTE: &str = "01987a2e-6b10-7c0f-a1d2-5e4f3c2b5a17";
const REVIEW: &str = "01987b51-1e50-7f39-83d4-57ce80845a17";

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "a quiet night in";
/// 32 random bytes, as refresh tokens and mailed ones are written.
const OPAQUE: &str = "Zr8vQ2mXw9ZpL4tYs8Nc1HbJd6FgTe3AkR7uPi0oWqE";
const JOINED_AT: &str = "2027-03-02T09:30:00.481Z";
const BOOKED_AT: &str = "2027-03-14T18:05:12.904317Z";
const EPOCH: &str = "4f1c09d2a7e85b36";

/// An example of a request's body.
pub(super) fn body(schema: &str) -> Option<Value> {
    Some(match schema {
        "AddressToken" => json!({"token": OPAQUE}),
        "CalendarEdit" => json!({
            "terms": [
                {"from": "2027-07-01", "to": "2027-09-01", "weekdays": ["fri", "sat"],
                 "price": 18_000, "min_nights": 2},
                {"from": "2027-12-24", "to": "2027-12-25", "closed_to_arrival": true,
                 "max_nights": null},
            ],
            "blocks": [
                {"from": "2027-06-01", "to": "2027-06-05", "reason": "maintenance",
                 "note": "New roof."},
            ],
            "unblock": [], "mode": "around",
        }),
        "Credentials" => json!({"email": EMAIL, "password": PASSWORD}),
        "ForgottenPassword" => json!({"email": EMAIL}),
        "BookingPart" => json!({"check_out": "2027-05-03"}),
        "NewBlock" => json!({
            "from": "2027-06-01", "to": "2027-06-05", "reason": "maintenance", "note": "New roof.",
        }),
        "NewBooking" => json!({"check_in": "2027-05-01", "check_out": "2027-05-04", "guests": 2}),
        "NewBookingAnywhere" => with(body("NewBooking")?, json!({"property_id": PROPERTY})),
        "NewPassword" => json!({"token": OPAQUE, "password": PASSWORD}),
        "StripeEvent" => json!({
            "id": "evt_3Q9wXz2eZvKYlo2C1", "type": "payment_intent.succeeded",
            "data": {"object": {"id": "pi_3Q9wXz2eZvKYlo2C0", "object": "payment_intent"}},
        }),
        "PushResult" => json!({"Body": {"stkCallback": {
            "MerchantRequestID": "29115-34620561-1", "CheckoutRequestID": "ws_CO_14032027210631",
            "ResultCode": 1032, "ResultDesc": "Request cancelled by user",
        }}}),
        "ReversalResult" => json!({"Result": {
            "ResultType": 0, "ResultCode": 0, "ResultDesc": "The service request is processed.",
            "OriginatorConversationID": "10571-7910404-1",
            "ConversationID": "AG_20270314_00004e48cf7e3533f581", "TransactionID": "NLJ41HAY6Q",
        }}),
        "NewRefund" => json!({"amount": 1_500}),
        "NewPayment" => json!({"booking_id": BOOKING, "payment_method": "pm_card_visa"}),
        "NewProperty" => json!({
            "title": "Boathouse by the lagoon", "description": "Two rooms over the water.",
            "address": "4 Jetty Road", "city": "Kilifi", "country": "KE", "latitude": -3.63,
            "longitude": 39.85, "timezone": "Africa/Nairobi", "price_per_night": 12_000,
            "currency": "KES", "max_guests": 4, "amenities": ["wifi", "kitchen"],
            "check_in_from": "15:00", "check_out_by": "11:00", "status": "listed",
            "instant_book": true, "cancellation_policy": "flexible", "blind_reviews": false,
        }),
        "NewQuote" => body("NewBookingAnywhere")?,
        "NewReply" => json!({"comment": "Come back when the herons do."}),
        "NewReview" => json!({
            "booking_id": BOOKING, "rating": 5, "comment": "Quiet nights and herons at breakfast.",
        }),
        "NewUser" => json!({
            "email": EMAIL, "password": PASSWORD, "first_name": "Ada", "last_name": "Lovelace",
            "role": "guest",
        }),
        "PropertyPart" => json!({"title": "Boathouse with a jetty", "price_per_night": 13_500}),
        "RefreshToken" => json!({"refresh_token": OPAQUE}),
        "ReviewPart" => json!({"rating": 4, "comment": "Quiet nights, and late herons."}),
        "RulesPart" => thing("Rules")?,
        "UserPart" => json!({"first_name": "Augusta Ada"}),
        _ => return None,
    })
}

/// An example of the answer of an operation with this status, which is of this schema.
pub(super) fn answer(operation: &str, status: &str, schema: &str) -> Option<Value> {
    let shown = thing(schema).or_else(|| composed(schema))?;
    let becomes = match (operation, status) {
        ("accept_booking", _) => json!({"version": 2}),
        ("decline_booking" | "report_no_show", _) => json!({
            "status": if operation == "report_no_show" { "NO_SHOW" } else { "DECLINED" },
            "awaiting": null, "expires_at": null, "version": 2,
        }),
        ("cancel_booking", _) => json!({
            "status": "CANCELED", "awaiting": null, "expires_at": null, "payment_id": PAYMENT,
            "version": 4, "refund": {"amount": 36_000, "currency": "KES"},
        }),
        ("create_property", _) => json!({"avg_rating": null, "review_count": 0}),
        ("create_review", _) => json!({"reply": null}),
        ("pay", "202") => json!({"status": "processing"}),
        ("refund", _) => json!({
            "status": "partially_refunded", "refunded_amount": 1_500,
            "refunds": [{
                "id": REFUND, "amount": 1_500, "status": "succeeded", "reason": null,
                "created_at": "2027-05-02T10:20:00.113402Z",
            }],
        }),
        ("update_booking", _) => with(
            body("BookingPart")?,
            json!({"total_amount": 24_000, "lines": [nights(2)], "version": 2}),
        ),
        ("update_own_user" | "update_user", _) => body("UserPart")?,
        ("update_property", _) => body("PropertyPart")?,
        ("update_review", _) => body("ReviewPart")?,
        _ => json!({}),
    };
    Some(with(shown, becomes))
}

/// What a layer of rules says.
fn terms(price: i64, min_nights: Option<i64>) -> Value {
    json!({
        "price": price, "min_nights": min_nights, "max_nights": null, "closed_to_arrival": null,
        "closed_to_departure": null,
    })
}

/// The line of so many nights.
fn nights(quantity: i64) -> Value {
    json!({
        "kind": "nights", "from": "2027-05-01", "quantity": quantity, "unit_amount": 12_000,
        "amount": quantity * 12_000,
    })
}

/// One thing as its own route shows it.
fn thing(schema: &str) -> Option<Value> {
    Some(match schema {
        "Amenities" => json!({"data": ["air_conditioning", "kitchen", "wifi"]}),
        "Booking" => with(
            body("NewBookingAnywhere")?,
            json!({
                "id": BOOKING, "user_id": GUEST, "status": "PENDING", "awaiting": "payment",
                "expires_at": "2027-03-14T18:20:12.904317Z", "total_amount": 36_000, "currency": "KES",
                "lines": [nights(3)], "change_request": null, "payment": "online",
                "payment_id": null, "quote_id": null, "version": 1, "created_at": BOOKED_AT,
            }),
        ),
        "CancellationPreview" => json!({
            "booking_id": BOOKING, "cancellation_policy": "flexible",
            "refund": {"amount": 36_000, "currency": "KES"},
            "retained": {"amount": 0, "currency": "KES"},
        }),
        "Block" => with(body("NewBlock")?, json!({"id": BLOCK})),
        "Blocks" => json!({"data": [thing("Block")?]}),
        "EditedCalendar" => json!({
            "property": PROPERTY, "epoch": EPOCH, "seq": 58, "dry_run": false,
            "changes": [
                {"from": "2027-06-01", "to": "2027-06-05", "state": "blocked"},
                with(terms(18_000, Some(2)), json!({"from": "2027-07-02", "to": "2027-07-04"})),
                with(terms(12_000, Some(1)), json!({
                    "from": "2027-12-24", "to": "2027-12-25", "closed_to_arrival": true,
                })),
            ],
            "digests": {"2027-06": "9d2e41c7"},
            "blocked": [thing("Block")?], "unblocked": [],
        }),
        "Rules" => json!({
            "default": {
                "min_nights": null, "max_nights": null, "closed_to_arrival": null,
                "closed_to_departure": null,
            },
            "weekdays": {
                "mon": null, "tue": null, "wed": null, "thu": null,
                "fri": terms(15_000, Some(2)), "sat": terms(15_000, None), "sun": null,
            },
            "seasons": [
                {"name": "Summer", "from": "2027-06-15", "to": "2027-09-01",
                 "terms": terms(16_000, Some(3))},
            ],
            "advance_notice": {"days": 1, "cut_off": "18:00"},
            "booking_window_days": 365, "preparation_nights": 1,
            "extra_guests": {"included": 2, "price_per_night": 1_500},
            "weekly_discount_bp": 1_000, "monthly_discount_bp": 2_000, "cleaning_fee": 4_000,
            "service_fee_bp": 0,
            "taxes": [{"name": "VAT", "basis_points": 1_600, "amount": null, "included": false}],
        }),
        "Taken" => json!({"ResultCode": 0, "ResultDesc": "Accepted"}),
        "Payment" => json!({
            "id": PAYMENT, "booking_id": BOOKING, "provider": "sandbox",
            "provider_ref": "pi_3Q9wXz2eZvKYlo2C0", "amount": 36_000, "currency": "KES",
            "status": "captured", "next_action": null, "refunded_amount": 0, "refunds": [],
            "created_at": "2027-03-14T18:06:31.220518Z",
        }),
        "Property" => with(
            body("NewProperty")?,
            json!({
                "id": PROPERTY, "host_id": HOST, "images": [], "avg_rating": 4.67, "review_count": 3,
                "created_at": JOINED_AT,
            }),
        ),
        "FoundProperty" => with(
            thing("Property")?,
            json!({
                "stay": {"nights": 3, "total_amount": 36_000, "currency": "KES"},
                "distance_metres": 1_240,
            }),
        ),
        "Quote" => with(
            body("NewQuote")?,
            json!({
                "id": QUOTE, "user_id": GUEST, "total_amount": 36_000, "currency": "KES",
                "lines": [nights(3)], "cancellation_policy": "flexible",
                "expires_at": "2027-03-14T18:20:12.904317Z", "created_at": BOOKED_AT,
            }),
        ),
        "Review" => with(
            body("NewReview")?,
            json!({
                "id": REVIEW, "property_id": PROPERTY, "user_id": GUEST, "direction": "guest_to_host",
                "reply": {
                    "comment": "Come back when the herons do.",
                    "created_at": "2027-05-06T07:15:40.118902Z",
                },
                "published_at": "2027-05-05T19:42:03.530771Z",
                "created_at": "2027-05-05T19:42:03.530771Z",
            }),
        ),
        "Tokens" => json!({
            "access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIwMTk4N2EyYyJ9.c2ln",
            "refresh_token": OPAQUE, "token_type": "Bearer", "expires_in": 600,
        }),
        "User" => json!({
            "id": GUEST, "email": EMAIL, "first_name": "Ada", "last_name": "Lovelace",
            "role": "guest", "created_at": JOINED_AT,
        }),
        _ => return None,
    })
}

/// What is made of several things.
fn composed(schema: &str) -> Option<Value> {
    let page = |schema: &str| Some(json!({"data": [thing(schema)?], "next_cursor": null}));
    let held = json!({
        "from": "2027-05-01", "to": "2027-05-04", "state": "held",
        "until": "2027-03-14T18:20:12.904317Z",
    });
    let priced = |range: Value| with(range, json!({"price": 12_000}));
    let free = json!({"from": "2027-05-04", "to": "2027-06-01", "state": "available"});
    let digests = json!({"2027-05": "8c1f02d7"});
    Some(match schema {
        "Bookings" => page("Booking")?,
        "Calendar" => json!({
            "property": PROPERTY, "epoch": EPOCH, "seq": 2, "from": "2027-05-01",
            "to": "2027-06-01", "timezone": "Africa/Nairobi", "currency": "KES",
            "ranges": [priced(held), priced(free)], "digests": digests,
        }),
        "Events" => json!({
            "epoch": EPOCH,
            "data": [
                {"seq": 2, "prev_seq": 1, "at": BOOKED_AT, "changes": [held], "digests": digests},
            ],
            "next_after": 2,
        }),
        "Export" => json!({
            "exported_at": "2027-05-07T08:00:00.002614Z",
            "account": with(thing("User")?, json!({"email_verified_at": JOINED_AT})),
            "properties": [], "bookings": [thing("Booking")?], "payments": [thing("Payment")?],
            "reviews": [thing("Review")?],
        }),
        "Payments" => page("Payment")?,
        "Properties" => page("Property")?,
        "Reviews" => page("Review")?,
        "Users" => page("User")?,
        _ => return None,
    })
}

/// An example with other values in some of its fields, or with more of them.
fn with(mut example: Value, fields: Value) -> Value {
    if let (Value::Object(example), Value::Object(fields)) = (&mut example, fields) {
        example.extend(fields);
    }
    example
}
