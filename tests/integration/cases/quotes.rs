//! What `docs/rules.md` quotes is what the case files say.
//!
//! A line such as ``[`tests/cases/…`](…)`` is followed by that file's comment, rules and cases; one that starts with
//! `The whole of` by all of it.

use super::files;

const PAGE: &str = "docs/rules.md";

#[test]
fn every_case_that_the_rules_quote_is_the_file() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let written = std::fs::read_to_string(path).unwrap();
    let files = files::all();
    let mut page = String::new();
    let mut lines = written.lines();
    let mut quotes = 0;
    while let Some(line) = lines.next() {
        page.push_str(&format!("{line}\n"));
        let Some(name) = quoted(line) else {
            continue;
        };
        let file = files.iter().find(|(path, _)| path == name);
        let (_, text) = file.unwrap_or_else(|| panic!("{PAGE} quotes `{name}`, which is no case"));
        assert_eq!(lines.next(), Some("```yaml"), "{name} is quoted at once");
        let is_whole = line.starts_with("The whole of");
        page.push_str(&format!(
            "```yaml\n{}```\n",
            if is_whole { text.clone() } else { part(text) }
        ));
        lines.find(|line| *line == "```");
        quotes += 1;
    }
    assert!(quotes >= 8, "{quotes} quotes");
    files::hold(PAGE, &page);
}

fn quoted(line: &str) -> Option<&str> {
    let rest = line.split_once("[`tests/cases/").map(|_| line)?;
    let name = rest.split('`').nth(1)?;
    line.ends_with(')').then_some(name)
}

/// Without the identity domains, which are much the same everywhere.
fn part(text: &str) -> String {
    let is_kept = {
        let mut is_inside = false;
        move |line: &&str| {
            if *line == "  kratos:" {
                is_inside = true;
            } else if !line.starts_with("   ") {
                is_inside = false;
            }
            !is_inside
        }
    };
    let lines = text.lines().filter(is_kept);
    lines.map(|line| format!("{line}\n")).collect()
}
