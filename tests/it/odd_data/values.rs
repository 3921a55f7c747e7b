//! The odd values themselves: what they are called, and how they are written.

/// Values of JSON as bytes, some of which are no JSON at all.
pub(super) fn in_bodies() -> Vec<(&'static str, Vec<u8>)> {
    let written = TEXTS.iter().map(|(name, text)| (*name, quoted(text.as_bytes())));
    let escaped = ESCAPED.iter().map(|(name, text)| (*name, quoted(text.as_bytes())));
    let broken = BROKEN.iter().map(|(name, bytes)| (*name, quoted(bytes)));
    let others = OTHERS.iter().map(|text| (*text, text.as_bytes().to_vec()));
    let dates = DATES.iter().map(|text| (*text, quoted(text.as_bytes())));
    let made = [
        ("10,000 letters", quoted(&[b'x'; 10_000])),
        ("a hundred arrays", [[b'['; 100], [b']'; 100]].concat()),
        ("a thousand arrays", [[b'['; 1_000], [b']'; 1_000]].concat()),
        ("a hundred digits", vec![b'9'; 100]),
    ];
    written.chain(escaped).chain(broken).chain(others).chain(dates).chain(made).collect()
}

/// Values that no field has room for.
pub(super) fn too_large() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("a megabyte", quoted(&vec![b'x'; 1 << 20])),
        ("60,000 letters", quoted(&[b'x'; 60_000])),
        ("60,000 digits", vec![b'1'; 60_000]),
        ("ten thousand arrays", [[b'['; 10_000], [b']'; 10_000]].concat()),
        ("ten thousand objects", b"{\"a\":".repeat(10_000)),
    ]
}

/// Values of query parameters, escaped as they are sent.
pub(super) fn in_queries() -> Vec<(&'static str, String)> {
    let written = TEXTS.iter().map(|(name, text)| (*name, escaped(text.as_bytes())));
    let broken = BROKEN.iter().map(|(name, bytes)| (*name, escaped(bytes)));
    let numbers = OTHERS.iter().filter(|text| !text.starts_with(['[', '{']));
    let dates = numbers.chain(DATES).map(|text| (*text, escaped(text.as_bytes())));
    let made = [
        ("NUL", "%00".to_owned()),
        ("NUL in text", "a%00b".to_owned()),
        ("half an escape", "%f".to_owned()),
        ("no escape", "%zz".to_owned()),
        ("twice escaped", "%2500".to_owned()),
        ("nothing", String::new()),
        ("a plus", "+".to_owned()),
        ("limit=1e9", "1e9".to_owned()),
        ("6,000 letters", "x".repeat(6_000)),
        ("60,000 letters", "x".repeat(60_000)),
    ];
    written.chain(broken).chain(dates).chain(made).collect()
}

/// Whether a value of this name is no text at all.
pub(super) fn is_broken(name: &str) -> bool {
    BROKEN.iter().any(|(broken, bytes)| *broken == name && std::str::from_utf8(bytes).is_err())
}

/// Every byte that is no letter or digit as an escape.
pub(super) fn escaped(bytes: &[u8]) -> String {
    let escape = |byte: &u8| match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => char::from(*byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    bytes.iter().map(escape).collect()
}

fn quoted(text: &[u8]) -> Vec<u8> {
    [b"\"", text, b"\""].concat()
}

/// Texts that are odd and yet texts. None begins or ends with a space, nor needs an escape.
pub(super) const TEXTS: &[(&str, &str)] = &[
    ("per cent", "%"),
    ("underscore", "_"),
    ("wildcards", "%a_b%"),
    ("SQL", "' or 1=1 --"),
    ("a quote that is doubled", "''"),
    ("a dollar", "$1 ?1 :a @b"),
    ("markup", "<script>alert(1)</script>"),
    ("right-to-left mark", "a\u{200f}b"),
    ("right-to-left override", "\u{202e}abc\u{202c}"),
    ("zero-width joiner", "\u{1f469}\u{200d}\u{1f4bb}"),
    ("zero-width non-joiner", "a\u{200c}b"),
    ("byte order mark", "a\u{feff}b"),
    ("composed", "caf\u{e9}"),
    ("decomposed", "cafe\u{301}"),
    ("many accents", "a\u{301}\u{302}\u{303}\u{304}\u{305}"),
    ("emoji", "\u{1f3e0}"),
    ("flag", "\u{1f1f5}\u{1f1f9}"),
    ("Arabic", "\u{645}\u{631}\u{62d}\u{628}\u{627}"),
    ("full width", "\u{ff21}\u{ff10}"),
    ("capital that grows", "\u{130}stanbul"),
    ("sharp s", "Stra\u{df}e"),
    ("last character", "\u{10ffff}"),
    ("noncharacter", "a\u{ffff}b"),
    ("replacement character", "\u{fffd}"),
    ("line separator", "a\u{2028}b"),
    ("no-break space", "a\u{a0}b"),
    ("null as a word", "null"),
    ("a word", "Infinity"),
    ("an id", "01920000-7000-8000-0000-00000000002a"),
    ("an address", "\u{e9}ve+tag@ex%ample_.com"),
    ("an address in Unicode", "\u{1f3e0}@\u{4f8b}.jp"),
    ("an address in capitals", "\u{c9}VE@Example.COM"),
    ("far time", "99:99"),
    ("odd digits", "\u{662}\u{661}:\u{660}\u{660}"),
];

/// What JSON writes with escapes.
const ESCAPED: &[(&str, &str)] = &[
    ("NUL", "\\u0000"),
    ("NUL in text", "eleven\\u0000grey herons"),
    ("backslash and zeros", "\\\\u0000"),
    ("lone high surrogate", "eleven \\ud800 herons"),
    ("lone low surrogate", "eleven \\udc00 herons"),
    ("surrogates in the wrong order", "\\udc00\\ud800"),
    ("two high surrogates", "\\ud800\\ud800"),
    ("a pair of surrogates", "\\ud83c\\udfe0"),
    ("tab", "a\\tb"),
    ("line feed", "a\\nb"),
    ("carriage return", "a\\r\\nb"),
    ("escape", "a\\u001bb"),
    ("delete", "a\\u007fb"),
    ("next line", "a\\u0085b"),
    ("quotes and backslashes", "a\\\"b\\\\c\\/d"),
    ("half an escape", "a\\u00"),
    ("no escape", "a\\xb"),
    ("nothing", ""),
    ("spaces", "   "),
    ("spaces of all kinds", "\\u00a0\\u3000\\u2003"),
    ("nothing to see", "\\u200b"),
];

/// Bytes that are no text: UTF-8 has no such forms, and JSON no raw control characters.
const BROKEN: &[(&str, &[u8])] = &[
    ("a byte that is no UTF-8", b"a\xffb"),
    ("half a character", b"a\xc3"),
    ("a character too long", b"\xc0\x80"),
    ("a surrogate in UTF-8", b"\xed\xa0\x80"),
    ("above Unicode", b"\xf4\x90\x80\x80"),
    ("a raw NUL", b"a\0b"),
    ("a raw line feed", b"a\nb"),
];

/// Values that are no texts.
const OTHERS: &[&str] = &[
    "1e400",
    "-1e400",
    "1e999999999999999999",
    "1e-400",
    "5e-324",
    "1.7976931348623157e308",
    "-0",
    "-0.0",
    "0",
    "1",
    "1.0",
    "4.0",
    "1.5",
    "1E2",
    "-1",
    "0.30000000000000004",
    "45.123456789012345678",
    "-89.99999999999999",
    "90.00000000000001",
    "32768",
    "65536",
    "4294967297",
    "9007199254740992",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "01",
    "+1",
    "0x10",
    "1_000",
    "NaN",
    "Infinity",
    "null",
    "true",
    "[]",
    "[null]",
    "[\"wifi\",\"wifi\"]",
    "[\"wifi\",[\"wifi\"]]",
    "[\"wi\\u0000fi\"]",
    "{}",
    "{\"a\":1,\"a\":2}",
    "{\"a\":{\"b\":1,\"b\":2}}",
    "[{\"a\":1,\"a\":2}]",
];

/// Dates, few of which are any.
const DATES: &[&str] = &[
    "0001-01-01",
    "0000-01-01",
    "0000-00-00",
    "-0001-01-01",
    "9999-12-31",
    "10000-01-01",
    "12027-01-01",
    "+12027-01-01",
    "-9999-01-01",
    "2026-02-30",
    "2027-02-29",
    "2027-1-1",
    "20271201",
    "2027-W01-1",
    "2027-12-01T00:00:00Z",
    "2027-12-01T00:00:00[Europe/Lisbon]",
    "2027-12-01\u{200f}",
    "\u{662}\u{660}\u{662}\u{667}-01-01",
    "24:00",
    "23:60",
    "-1:00",
    "+1:00",
    "00:00",
];
