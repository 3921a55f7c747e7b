//! What the widget weighs, and whether everybody can use it.

use super::{Elsewhere, becomes, day, home};
use crate::helpers::{Database, Driver, Server};
use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

/// Compressed, in bytes.
const MOST: usize = 20_000;

#[tokio::test]
async fn all_modules_together_are_less_than_20_kb_compressed_one_by_one() {
    let server = Server::spawn(Database::Sqlite).await;
    let mut modules = BTreeMap::new();
    let mut wanted = vec!["/widget/vacancy-calendar.js".to_owned()];
    let mut languages = Vec::new();
    while let Some(path) = wanted.pop() {
        let module = server.http().get(format!("{}{path}", server.base())).send().await;
        let module = module.expect("an answer").error_for_status().expect("a module");
        let text = module.text().await.expect("a text");
        wanted.extend(named(&text, "from \"./", &path).filter(|m| !modules.contains_key(m)));
        languages.extend(named(&text, "import(\"./", &path));
        modules.insert(path, text);
    }
    assert!(modules.len() > 8 && languages.len() >= 11, "the modules are somewhere else");
    let first = compressed(&modules.values().cloned().collect::<String>());
    let apart: usize = modules.values().map(|module| compressed(module)).sum();
    println!("{} modules: {first} bytes as one, {apart} one by one", modules.len());
    assert!(apart < MOST, "{apart} bytes");
}

/// The modules beside this one that it names after such words; those of a folder name it again.
fn named<'a>(text: &'a str, words: &'a str, of: &str) -> impl Iterator<Item = String> + use<'a> {
    let folder = of.rsplit_once('/').expect("a path").0.to_owned();
    let names = text.split(words).skip(1).filter_map(|rest| rest.split('"').next());
    names.map(move |name| format!("{folder}/{name}"))
}

fn compressed(text: &str) -> usize {
    let mut gzip = Command::new("gzip");
    gzip.arg("-9").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut gzip = gzip.spawn().expect("gzip starts");
    let mut input = gzip.stdin.take().expect("a piped input");
    let text = text.to_owned();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = gzip.wait_with_output().expect("its output");
    writer.join().expect("a writer that does not panic").expect("a text that is written");
    output.stdout.len()
}

#[tokio::test]
async fn axe_finds_nothing_serious_in_light_and_dark_and_from_right_to_left() {
    let axe = std::env::var("AXE").expect("there is no AXE to test with: run cargo xtask test");
    let axe = std::fs::read_to_string(axe).expect("a script");
    let server = Server::spawn(Database::Sqlite).await;
    let (_, home) = home(&server, 2).await;
    let guest = server.guest().await;
    server.book(&guest, &home, &day(12), &day(14)).await.expect(201);
    let driver = Driver::start().await;
    for (lang, theme) in
        [("en", "light"), ("en", "dark"), ("ar", "light"), ("de", "dark"), ("ja", "light")]
    {
        let page = Elsewhere::with(&server, &home, lang, &format!("theme=\"{theme}\"")).await;
        let window = page.open(&driver, &format!("axe-{lang}-{theme}")).await;
        window.script(&axe, Vec::new()).await;
        for state in ["nothing is chosen", "an arrival is chosen", "a stay is chosen"] {
            match state {
                "an arrival is chosen" => {
                    window.choose(&day(15), &day(17)).await;
                    let click = format!("night('{}').click()", day(15));
                    window.look(&click).await;
                    becomes(&window, "calendar.selection.nights", 0).await;
                }
                "a stay is chosen" => window.choose(&day(15), &day(17)).await,
                _ => {}
            }
            let found = "axe.run(document).then(({ violations }) => violations\
                .filter(({ impact }) => ['serious', 'critical'].includes(impact))\
                .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`)))";
            let found = window.look(found).await;
            assert_eq!(found, serde_json::json!([]), "{lang}, {theme}, where {state}");
        }
        window.browser.close().await.expect("an end");
    }
}
