//! The house rules that no compiler checks: which way imports run, who may name actors, how files
//! begin and how long they get. Exceptions stand here with their reasons, and only shrink.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Modules of `src` from the bottom up: each may import from layers below its own, and from
/// nothing beside it.
const LAYERS: [&[&str]; 9] = [
    &["clock"],
    &["ids"],
    &["store"],
    &["feed", "auth", "payments", "search", "media", "fleet"],
    &["actors"],
    &["engine"],
    &["http", "graphql", "ws", "jobs", "demo", "config"],
    &["app"],
    &["main", "lib"],
];

/// Imports that run beside the layers: from, to, and why.
const BESIDE: [(&str, &str, &str); 2] = [
    ("http", "ws", "the route /ws hands its request over to the live calendars"),
    ("http", "demo", "the page offers the demo's guest account"),
];

/// Files that may name `actix::` beside the actors and the live connections: path and why.
const ACTIX: [(&str, &str); 1] = [("src/app/mod.rs", "it starts the System that actors run in")];

const LONGEST_CODE: usize = 450;
const LONGEST_TESTS: usize = 650;

/// Files that are longer, with the length that they may not exceed.
const LONG: [(&str, usize); 1] = [("domain/src/pipeline/property.rs", 490)];

/// Settings that `.env.example` does not name, and why.
const UNNAMED: [(&str, &str); 2] = [
    ("DIE_AT_STEP", "it ends the process, and is in no build that nobody asked for"),
    ("TEST_SWITCH", "it plants bugs, and is in no build that nobody asked for"),
];

/// A file of ours with its path from the root.
struct Source {
    path: String,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All Rust files below these folders.
fn sources(folders: &[&str]) -> Vec<Source> {
    let mut paths = Vec::new();
    for folder in folders {
        walk(&root().join(folder), &mut paths);
    }
    assert!(paths.len() > 10, "the sources are somewhere else");
    paths.sort();
    let source = |path: PathBuf| Source {
        text: fs::read_to_string(&path).expect("a text"),
        path: path.strip_prefix(root()).expect("below the root").display().to_string(),
    };
    paths.into_iter().map(source).collect()
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            walk(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

fn everything() -> Vec<Source> {
    sources(&["src", "tests", "domain", "fakepay", "loadtest", "xtask"])
}

/// Fails with all that was found, one line each.
fn none(found: &[String]) {
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

/// The code without comments; what stands in them names modules freely.
fn code(text: &str) -> String {
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// The modules of this crate that a text names after `crate::`, also in groups.
fn imports(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        let before = text[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = &text[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => names.extend(firsts_of_group(group)),
            None => names.extend(first_word(rest)),
        }
    }
    names
}

fn first_word(text: &str) -> Option<String> {
    let word: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!word.is_empty()).then_some(word)
}

/// The first word of each element of a group, up to its closing brace.
fn firsts_of_group(group: &str) -> Vec<String> {
    let (mut depth, mut element, mut firsts) = (0, String::new(), Vec::new());
    for letter in group.chars() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => firsts.extend(first_word(std::mem::take(&mut element).trim())),
            _ => {}
        }
        if !(letter == ',' && depth == 0) {
            element.push(letter);
        }
    }
    firsts.extend(first_word(element.trim()));
    firsts
}

fn layer(module: &str) -> usize {
    LAYERS
        .iter()
        .position(|layer| layer.contains(&module))
        .unwrap_or_else(|| panic!("the module {module} has no layer: say in tidy.rs where it is"))
}

/// The module of `src` that a path belongs to.
fn module(path: &str) -> &str {
    let below = path.strip_prefix("src/").expect("a path in src");
    below.split('/').next().unwrap_or(below).trim_end_matches(".rs")
}

#[test]
fn imports_run_one_way() {
    let mut found = Vec::new();
    let mut used = BTreeSet::new();
    for Source { path, text } in sources(&["src"]) {
        let from = module(&path);
        for to in imports(&code(&text)) {
            let beside = BESIDE.iter().position(|(a, b, _)| *a == from && *b == to);
            used.extend(beside);
            let is_module = LAYERS.iter().any(|layer| layer.contains(&to.as_str()));
            if from == to || beside.is_some() || !is_module {
                continue;
            }
            if layer(&to) >= layer(from) {
                found.push(format!("{path} imports {to}, which is not below {from}"));
            }
        }
    }
    for (number, (from, to, _)) in BESIDE.iter().enumerate() {
        if !used.contains(&number) {
            found.push(format!("{from} no longer imports {to}: take the exception away"));
        }
    }
    none(&found);
}

#[test]
fn every_module_of_the_house_has_a_layer() {
    for Source { path, .. } in sources(&["src"]) {
        layer(module(&path));
    }
}

#[test]
fn actors_are_named_behind_their_fence_only() {
    let mut found = Vec::new();
    for Source { path, text } in sources(&["src"]) {
        let text = code(&text);
        let allowed = path.starts_with("src/actors/")
            || path.starts_with("src/ws/")
            || ACTIX.iter().any(|(exception, _)| *exception == path);
        if names(&text, "actix::") && !allowed {
            found.push(format!("{path} names actix::"));
        }
        if names(&text, "actix_web_actors") && path != "src/ws/session.rs" {
            found.push(format!("{path} names actix_web_actors::"));
        }
    }
    none(&found);
}

/// Whether a text names this crate, and not one whose name ends like it.
fn names(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

#[test]
fn every_module_opens_with_what_it_is() {
    let opens = |source: &Source| source.text.starts_with("//! ");
    let missing = everything().into_iter().filter(|source| !opens(source));
    none(
        &missing
            .map(|source| format!("{} does not open with //!", source.path))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn nothing_is_left_for_later() {
    // Put together here, so that this file does not find itself.
    let banned = [["FIX", "ME"], ["TO", "DO"], ["dbg", "!"], ["#[al", "low"], ["#![al", "low"]];
    let banned = banned.map(|parts| parts.concat());
    let mut found = Vec::new();
    for Source { path, text } in everything() {
        for (number, line) in text.lines().enumerate() {
            for word in banned.iter().filter(|word| line.contains(word.as_str())) {
                found.push(format!("{path}:{}: {word}", number + 1));
            }
        }
    }
    none(&found);
}

#[test]
fn files_stay_short() {
    let mut found = Vec::new();
    for Source { path, text } in everything() {
        let is_test = path.contains("tests/") || path.contains("/tests") || path.contains("_tests");
        let usual = if is_test { LONGEST_TESTS } else { LONGEST_CODE };
        let most = LONG.iter().find(|(long, _)| *long == path).map_or(usual, |(_, most)| *most);
        let lines = text.lines().count();
        if lines > most {
            found.push(format!("{path} has {lines} lines, and may have {most}"));
        }
    }
    none(&found);
}

#[test]
fn the_domain_knows_only_renting() {
    let manifest = read("domain/Cargo.toml");
    let strangers = ["serde", "sqlx", "actix", "tokio", "rand", "reqwest", "tracing"];
    let mut found = Vec::new();
    let (_, dependencies) = manifest.split_once("[dependencies]").expect("dependencies");
    let dependencies = dependencies.split("\n[").next().unwrap_or_default();
    for line in dependencies.lines().filter(|line| !line.trim_start().starts_with('#')) {
        found.extend(
            strangers
                .iter()
                .filter(|stranger| line.starts_with(**stranger))
                .map(|stranger| format!("domain depends on {stranger}")),
        );
    }
    for Source { path, text } in sources(&["domain/src"]) {
        let text = code(&text);
        let named = strangers.iter().filter(|stranger| names(&text, &format!("{stranger}::")));
        found.extend(named.map(|stranger| format!("{path} names {stranger}")));
        for word in
            ["async fn", ".await;", ".await?", "SystemTime", "std::fs", "std::net", "std::env"]
        {
            if text.contains(word) {
                found.push(format!("{path} has {word}"));
            }
        }
    }
    none(&found);
}

#[test]
fn switches_that_plant_bugs_are_in_no_build_that_nobody_asked_for() {
    let members =
        ["domain", "fakepay", "loadtest", "xtask"].map(|name| format!("{name}/Cargo.toml"));
    for path in members.iter().map(String::as_str).chain(["Cargo.toml"]) {
        for line in read(path).lines().filter(|line| line.contains("test_switches")) {
            let declares = line.trim_start().starts_with("test_switches =");
            let comment = line.trim_start().starts_with('#');
            assert!(declares || comment, "{path}: {line}");
        }
    }
    for Source { path, text } in sources(&["src", "domain/src"]) {
        // A switch is read under the feature alone.
        if text.contains("TEST_SWITCH") {
            assert!(text.contains("feature = \"test_switches\""), "{path}");
        }
    }
}

/// The texts in a file's code, without its tests, that are written like a setting.
fn settings(text: &str) -> BTreeSet<String> {
    let text = code(text.split("#[cfg(test)]\nmod").next().unwrap_or_default());
    text.split('"').filter(|text| is_setting(text)).map(str::to_owned).collect()
}

fn is_setting(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// The names that `.env.example` explains: those that do something, and those that do nothing yet,
/// which is what their paragraphs begin with.
fn explained() -> [BTreeSet<String>; 2] {
    let mut names = [BTreeSet::new(), BTreeSet::new()];
    for paragraph in read(".env.example").split("\n\n") {
        let idle = paragraph.starts_with("# Does nothing yet");
        for line in paragraph.lines() {
            assert!(!idle || line.starts_with('#'), "{line}: it does nothing yet, comment it out");
            let (name, _) = line.trim_start_matches('#').split_once('=').unwrap_or_default();
            if is_setting(name) {
                assert!(names[usize::from(idle)].insert(name.to_owned()), "{name} stands twice");
            }
        }
    }
    names
}

#[test]
fn every_setting_is_explained_and_what_is_explained_is_a_setting() {
    let mut known = BTreeSet::new();
    for Source { path, text } in sources(&["src"]) {
        if ["config", "app"].contains(&module(&path)) {
            known.extend(settings(&text));
        }
    }
    for (name, why) in UNNAMED {
        assert!(known.remove(name), "{name} is no longer read: it was unnamed because {why}");
    }
    let [explained, idle] = explained();
    let mut found = Vec::new();
    found.extend(known.difference(&explained).map(|name| format!("{name} is not in .env.example")));
    // Every secret may also stand in a file.
    let is_read = |name: &String| {
        known.contains(name) || name.strip_suffix("_FILE").is_some_and(|name| known.contains(name))
    };
    let unread = explained.iter().filter(|name| !is_read(name));
    found.extend(unread.map(|name| format!("nothing reads {name}")));
    found.extend(idle.intersection(&known).map(|name| format!("{name} does something by now")));
    none(&found);
}

#[test]
fn migrations_have_the_same_names_on_both_databases() {
    let names = |folder: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(root().join("migrations").join(folder)).expect("a folder");
        entries.map(|entry| entry.expect("an entry").file_name().display().to_string()).collect()
    };
    assert_eq!(names("sqlite"), names("postgres"));
    assert!(!names("sqlite").is_empty());
}

#[test]
fn every_file_of_tests_is_run() {
    let main = read("tests/it/main.rs");
    for entry in fs::read_dir(root().join("tests/it")).expect("this folder") {
        let name = entry.expect("an entry").file_name().display().to_string();
        let stem = name.trim_end_matches(".rs");
        assert!(stem == "main" || main.contains(&format!("mod {stem};")), "{name} is not run");
    }
}
