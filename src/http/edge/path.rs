//! What a path asks for, as far as the door needs to know: read in segments, as the router reads
//! it, so that no spelling of an address slips past a limit.

use super::limits::Limit;
use actix_web::http::Method;

/// The first segments below the base; empty ones fill the rest.
pub(super) type Segments<'a> = [&'a str; 4];

/// The segments of a decoded path. Slashes may be doubled, and both bases are the same.
pub(super) fn segments(path: &str) -> Segments<'_> {
    let mut found = [""; 6];
    let parts = path.split('/').filter(|part| !part.is_empty());
    for (place, part) in found.iter_mut().zip(parts) {
        *place = part;
    }
    match found {
        ["api", "v1", below @ ..] => below,
        [a, b, c, d, ..] => [a, b, c, d],
    }
}

/// Whether nobody is limited here: a health check must always be answered, and files that are
/// embedded in the binary cost less than the count would.
pub(super) fn is_free(segments: &Segments<'_>) -> bool {
    matches!(
        segments[0],
        "" | "livez" | "readyz" | "metrics" | "widget" | "test" | "stay" | "trips" | "host" |
        // Providers send from few addresses, and what they did not sign is refused at once.
        "webhooks"
    )
}

/// The tighter limit beside the general one.
pub(super) fn tight_limit(method: &Method, segments: &Segments<'_>) -> Option<Limit> {
    if method != Method::POST {
        return None;
    }
    match segments {
        ["users", "", ..] | ["auth", "login" | "verify", "", ..] | ["auth", "password", ..] => {
            Some(Limit::SignIn)
        }
        ["bookings", "", ..] | ["properties", _, "bookings", ""] => Some(Limit::Booking),
        _ => None,
    }
}

/// Whether pages of any origin may read the answer, without credentials: what the widget needs
/// on other people's pages.
pub(super) fn is_public(method: &Method, segments: &Segments<'_>) -> bool {
    let first = segments[0];
    if method == Method::POST {
        return matches!(segments, ["quotes", "", ..]);
    }
    matches!(*method, Method::GET | Method::HEAD)
        && matches!(first, "properties" | "quotes" | "reviews" | "amenities" | "widget")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_path_is_the_same_path() {
        for path in [
            "/auth/login",
            "/auth/login/",
            "//auth//login",
            "/api/v1/auth/login/",
            "/api//v1//auth/login",
        ] {
            assert_eq!(segments(path), ["auth", "login", "", ""], "{path}");
        }
        assert_eq!(segments("/"), ["", "", "", ""]);
        assert_eq!(segments("/a/b/c/d/e/f/g"), ["a", "b", "c", "d"]);
    }

    #[test]
    fn signing_in_and_booking_have_tighter_limits() {
        for (method, path, expected) in [
            (Method::POST, "/auth/login", Some(Limit::SignIn)),
            (Method::POST, "/api/v1/users", Some(Limit::SignIn)),
            (Method::POST, "/auth/password/forgot", Some(Limit::SignIn)),
            (Method::POST, "/bookings", Some(Limit::Booking)),
            (Method::POST, "/api/v1/properties/x/bookings/", Some(Limit::Booking)),
            (Method::POST, "/bookings/x/accept", None),
            (Method::POST, "/auth/refresh", None),
            (Method::GET, "/bookings", None),
            (Method::GET, "/users", None),
            (Method::POST, "/properties", None),
        ] {
            assert_eq!(tight_limit(&method, &segments(path)), expected, "{method} {path}");
        }
    }

    #[test]
    fn only_what_is_public_is_for_every_origin() {
        for (method, path, expected) in [
            (Method::GET, "/api/v1/properties/x/calendar", true),
            (Method::HEAD, "/properties", true),
            (Method::POST, "/api/v1/quotes", true),
            (Method::GET, "/widget/vacancy-calendar.js", true),
            (Method::POST, "/properties", false),
            (Method::POST, "/properties/x/bookings", false),
            (Method::GET, "/bookings", false),
            (Method::GET, "/users/me", false),
            (Method::POST, "/quotes/x", false),
        ] {
            assert_eq!(is_public(&method, &segments(path)), expected, "{method} {path}");
        }
    }
}
