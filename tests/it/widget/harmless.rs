//! Whatever a page's attributes or a server say, it stays text.

use super::{Elsewhere, home};
use crate::helpers::{Database, Driver, Server};
use serde_json::{Value, json};

/// Each would call `pwned()` where it is taken for more than text.
const PAYLOADS: [&str; 30] = [
    "<script>pwned()</script>",
    "<img src=x onerror=pwned()>",
    "<svg onload=pwned()>",
    "<svg><script>pwned()</script></svg>",
    "<iframe srcdoc='<script>parent.pwned()</script>'>",
    "<body onload=pwned()>",
    "<details open ontoggle=pwned()>",
    "<input autofocus onfocus=pwned()>",
    "<video><source onerror=pwned()></video>",
    "<math><mtext><script>pwned()</script></mtext></math>",
    "<a href=javascript:pwned()>x</a>",
    "<object data=javascript:pwned()>",
    "<embed src=javascript:pwned()>",
    "<form action=javascript:pwned()><input type=submit>",
    "<style>@import 'javascript:pwned()'</style>",
    "<link rel=stylesheet href=javascript:pwned()>",
    "<base href=javascript:pwned()//>",
    "<template><script>pwned()</script></template>",
    "\"><script>pwned()</script>",
    "'><img src=x onerror=pwned()>",
    "\" onmouseover=\"pwned()",
    "' autofocus onfocus='pwned()",
    "javascript:pwned()",
    "JaVaScRiPt:pwned()",
    "java\tscript:pwned()",
    "data:text/html,<script>pwned()</script>",
    "vbscript:pwned()",
    "</textarea><script>pwned()</script>",
    "${pwned()}{{constructor.constructor('pwned()')()}}",
    "__proto__",
];

/// A server that says the payload wherever there is something to say, and notes what runs.
const LIAR: &str = "
    window.ran = [];
    window.pwned = () => window.ran.push('pwned');
    window.say = (payload) => {
        const tomorrow = new Date(Date.now() + 864e5).toISOString().slice(0, 10);
        const later = new Date(Date.now() + 4 * 864e5).toISOString().slice(0, 10);
        const rules = { timezone: payload, currency: payload, min_nights: payload,
            max_nights: payload, advance_notice_hours: payload, window_days: payload };
        window.WebSocket = class {
            readyState = 1;
            constructor() { queueMicrotask(() => this.onopen()); }
            close() {}
            send(text) {
                const { type, property, from, to } = JSON.parse(text);
                if (type !== 'subscribe') return;
                const told = (frame) => this.onmessage({ data: JSON.stringify(frame) });
                const range = { from: tomorrow, to: later };
                queueMicrotask(() => {
                    if (window.refusing) {
                        return told({ type: 'error', code: payload, detail: payload,
                            ref: property });
                    }
                    told({ type: 'snapshot', property, epoch: payload, seq: 1, from, to,
                        rules: { currency: payload, timezone: payload }, digests: {},
                        ranges: [{ from: later, to, state: payload, until: payload },
                            { ...range, price: payload }] });
                    told({ type: 'delta', property, epoch: payload, prev_seq: 1, seq: 2,
                        at: payload, digests: {}, rules,
                        changes: [{ ...range, price: 12000, min_nights: 1 }] });
                });
            }
        };
        window.fetch = async () => window.refusing
            ? new Response(JSON.stringify({ detail: payload, code: payload,
                reasons: [{ code: payload, limit: payload }] }), { status: 409 })
            : new Response(JSON.stringify({ total_amount: payload, currency: payload,
                detail: payload }), { status: window.failing ? 422 : 201 });
        return [tomorrow, later];
    };";

/// Puts a calendar with the payload in every attribute into the page, lets the server say it
/// everywhere, and tells what is there afterwards that should not be.
const TRY: &str = "
    const [payload, number, [refusing, failing]] = arguments;
    Object.assign(window, { refusing, failing });
    const [arrival, departure] = window.say(payload);
    const calendar = document.createElement('vacancy-calendar');
    // Each calendar has a feed of its own, because feeds are kept by their server's address.
    calendar.setAttribute('server', `${location.origin}/${number}/`);
    calendar.setAttribute('property', crypto.randomUUID());
    for (const name of ['guests', 'months', 'lang', 'theme', 'book-url', 'class', 'title']) {
        calendar.setAttribute(name, payload);
    }
    document.body.append(calendar);
    const settle = () => new Promise((done) => setTimeout(done, 0));
    return (async () => {
        for (let turn = 0; turn < 5; turn += 1) await settle();
        const chosen = calendar.select(arrival, departure);
        while (chosen && (calendar.dataset.quote ?? 'asking') === 'asking') await settle();
        for (const night of calendar.shadowRoot.querySelectorAll('.night')) night.click();
        calendar.setAttribute('property', payload);
        await settle();
        const known = ['section', 'div', 'button', 'h3', 'table', 'thead', 'tbody', 'tr', 'th',
            'td', 'span', 'p', 'strong', 'a', 'footer', 'ul', 'li'];
        const wrong = [...calendar.shadowRoot.querySelectorAll('*')].flatMap((element) => [
            ...(known.includes(element.localName) ? [] : [element.localName]),
            ...element.getAttributeNames().filter((name) => /^on|^src|^style/.test(name)),
            ...(element.href && !element.href.startsWith('http') ? [element.href] : []),
        ]);
        const shown = calendar.shadowRoot.textContent.includes(payload);
        calendar.remove();
        return { wrong: [...wrong, ...window.ran], chosen, shown };
    })();";

#[tokio::test]
async fn thirty_injections_through_attributes_and_a_lying_server_stay_text() {
    let server = Server::spawn(Database::Sqlite).await;
    let (_, home) = home(&server, 1).await;
    let driver = Driver::start().await;
    // The policy would stop a script as well, so the widget is tried where there is none.
    let page = Elsewhere::without_policy(&server, &home).await;
    let window = page.open(&driver, "lies").await;
    window.script(LIAR, Vec::new()).await;
    let mut number = 0;
    let mut chosen = 0;
    for payload in PAYLOADS {
        for (refusing, failing) in [(false, false), (false, true), (true, false)] {
            number += 1;
            let arguments = vec![json!(payload), json!(number), json!([refusing, failing])];
            let found = window.script(TRY, arguments).await;
            assert_eq!(found["wrong"], json!([]), "{payload}");
            chosen += usize::from(found["chosen"] == Value::Bool(true));
        }
    }
    assert_eq!(chosen, 2 * PAYLOADS.len(), "a calendar that is refused has no nights to choose");
    window.browser.close().await.expect("an end");
}
