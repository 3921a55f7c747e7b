"""The official Stripe library against a stand-in: what a shop does with it, step by step.

    python stripe_client.py http://127.0.0.1:12111

Prints one line for each step and ends with 0 when all of them went as they do at Stripe.
"""

import http.server
import json
import queue
import sys
import threading
import urllib.request

import stripe

SECRET = "whsec_official"


class Receiver(http.server.BaseHTTPRequestHandler):
    """Takes webhooks and answers 200."""

    letters = queue.Queue(maxsize=1000)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.letters.put((body, self.headers["Stripe-Signature"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def told(wanted):
    """The next event of this type, its signature verified; others are read over."""
    while True:
        body, signature = Receiver.letters.get(timeout=20)
        event = stripe.Webhook.construct_event(body, signature, SECRET)
        if event.type == wanted:
            return event.data.object


def refused(kind, act):
    """The error of this kind that this ends in."""
    try:
        act()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was expected")


def listen(url):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    wish = {"url": f"http://127.0.0.1:{server.server_port}/", "secret": SECRET}
    asked = urllib.request.Request(f"{url}/control/webhook", json.dumps(wish).encode())
    asked.method = "PUT"
    asked.add_header("Content-Type", "application/json")
    urllib.request.urlopen(asked).close()


def client(url, key="sk_test_official"):
    return stripe.StripeClient(key, base_addresses={"api": url}, max_network_retries=0).v1


def card(amount, **more):
    return {"amount": amount, "currency": "usd", "payment_method": "pm_card_visa", **more}


def authorize_and_capture(shop):
    made = shop.payment_intents.create(
        card(5000, capture_method="manual", metadata={"booking": "b-1"}, expand=["latest_charge"])
    )
    assert (made.status, made.metadata["booking"]) == ("requires_confirmation", "b-1")
    held = shop.payment_intents.confirm(made.id, {"expand": ["latest_charge"]})
    assert (held.status, held.amount_capturable) == ("requires_capture", 5000)
    assert held.latest_charge.paid and not held.latest_charge.captured
    assert told("payment_intent.amount_capturable_updated").id == made.id
    paid = shop.payment_intents.capture(made.id, {"amount_to_capture": 4000})
    assert (paid.status, paid.amount_received, paid.amount_capturable) == ("succeeded", 4000, 0)
    assert told("payment_intent.succeeded").amount_received == 4000
    return paid


def refund(shop, paid):
    part = shop.refunds.create({"payment_intent": paid.id, "amount": 1500})
    assert (part.status, part.amount, part.currency) == ("succeeded", 1500, "usd")
    assert told("refund.created").id == part.id
    error = refused(
        stripe.InvalidRequestError,
        lambda: shop.refunds.create({"payment_intent": paid.id, "amount": 2501}),
    )
    assert error.param == "amount"
    rest = shop.refunds.create({"payment_intent": paid.id})
    assert rest.amount == 2500
    error = refused(
        stripe.InvalidRequestError, lambda: shop.refunds.create({"payment_intent": paid.id})
    )
    assert error.code == "charge_already_refunded"
    assert shop.refunds.retrieve(part.id).amount == 1500
    listed = shop.refunds.list({"payment_intent": paid.id})
    assert [one.id for one in listed.data] == [rest.id, part.id]


def cancel(shop):
    made = shop.payment_intents.create(card(700, capture_method="manual", confirm=True))
    gone = shop.payment_intents.cancel(made.id, {"cancellation_reason": "abandoned"})
    assert (gone.status, gone.cancellation_reason) == ("canceled", "abandoned")
    assert told("payment_intent.canceled").id == made.id
    error = refused(stripe.InvalidRequestError, lambda: shop.payment_intents.capture(made.id))
    assert error.code == "payment_intent_unexpected_state"
    assert error.error.payment_intent.id == made.id


def decline(shop):
    method = "pm_card_chargeDeclinedInsufficientFunds"
    error = refused(
        stripe.CardError,
        lambda: shop.payment_intents.create(card(900, confirm=True) | {"payment_method": method}),
    )
    assert (error.http_status, error.code) == (402, "card_declined")
    assert error.error.decline_code == "insufficient_funds"
    intent = shop.payment_intents.retrieve(error.error.payment_intent.id)
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error.payment_method.id == method
    paid = shop.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert paid.status == "succeeded"


def authenticate(shop):
    asked = card(1200, confirm=True, return_url="https://shop.example/back")
    asked["payment_method"] = "pm_card_authenticationRequired"
    intent = shop.payment_intents.create(asked)
    assert (intent.status, intent.next_action.type) == ("requires_action", "redirect_to_url")
    assert intent.next_action.redirect_to_url.return_url == "https://shop.example/back"


def repeat(shop):
    once = {"idempotency_key": "pi:1:1"}
    first = shop.payment_intents.create(card(1000), once)
    again = shop.payment_intents.create(card(1000), once)
    assert again.id == first.id
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    refused(stripe.IdempotencyError, lambda: shop.payment_intents.create(card(1001), once))


def look_up(shop, url):
    error = refused(stripe.InvalidRequestError, lambda: shop.payment_intents.retrieve("pi_none"))
    assert (error.http_status, error.code) == (404, "resource_missing")
    refused(stripe.AuthenticationError, lambda: client(url, "nothing").payment_intents.list())
    pages = shop.payment_intents.list({"limit": 2, "created": {"gte": 1}})
    everything = [intent.id for intent in pages.auto_paging_iter()]
    assert pages.has_more and len(everything) == len(set(everything)) > 4
    events = shop.events.list({"type": "payment_intent.canceled"})
    assert shop.events.retrieve(events.data[0].id).type == "payment_intent.canceled"


def forge():
    body = b'{"id": "evt_1", "object": "event"}'
    refused(
        stripe.SignatureVerificationError,
        lambda: stripe.Webhook.construct_event(body, "t=1,v1=00", SECRET),
    )


def main(url):
    listen(url)
    shop = client(url)
    paid = authorize_and_capture(shop)
    print("authorized and captured")
    refund(shop, paid)
    print("refunded")
    cancel(shop)
    print("canceled")
    decline(shop)
    print("declined")
    authenticate(shop)
    print("asked to authenticate")
    repeat(shop)
    print("repeated")
    look_up(shop, url)
    print("looked up")
    forge()
    print("all as it is at Stripe")


if __name__ == "__main__":
    main(sys.argv[1])
