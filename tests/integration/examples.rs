//! Every file that an operator starts from loads.

use std::{fs, path::Path};

use stepgate::config::Config;

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_demos_configuration_is_sound() {
    let config = Config::parse("demo/stepgate.yaml", &read("demo/stepgate.yaml"));
    assert_eq!(config.unwrap().policy.rules.rules().len(), 10);
}

/// The first example in a page.
fn example(page: &str) -> String {
    let text = read(page);
    let yaml = text.split("```yaml\n").nth(1);
    yaml.and_then(|rest| rest.split("```").next())
        .unwrap()
        .to_owned()
}

#[test]
fn the_configuration_in_the_readme_is_sound_and_ten_lines_long() {
    let yaml = example("README.md");
    let config = Config::parse("README.md", &yaml).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(&*config.policy.rules.rules()[0].id, "transfer");
    assert_eq!(yaml.lines().count(), 10);
}

#[test]
fn the_configuration_in_its_page_is_sound() {
    let yaml = example("docs/configuration.md");
    let config = Config::parse("docs/configuration.md", &yaml);
    let config = config.unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(config.policy.rules.rules().len(), 3);
    assert_eq!(config.warnings, []);
}

#[test]
fn the_rules_in_the_page_about_the_recipe_are_sound() {
    let head = example("README.md");
    let head = head.split("rules:").next().unwrap().to_owned();
    let yaml = head + &example("docs/cookbook-line-by-line.md");
    let config = Config::parse("docs/cookbook-line-by-line.md", &yaml);
    let config = config.unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(config.policy.rules.rules().len(), 4);
    assert_eq!(config.warnings, []);
}

/// A row of the contract is one that is asked for.
#[test]
fn the_rows_in_the_page_about_the_recipe_are_in_the_contract() {
    let page = read("docs/cookbook-line-by-line.md");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo/src/contract");
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    let asked: String = files
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    for row in page.split("K-").skip(1) {
        let number: String = row.chars().take_while(char::is_ascii_digit).collect();
        assert!(asked.contains(&format!("\"K-{number}")), "K-{number}");
    }
}
