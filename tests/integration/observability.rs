//! The dashboard and the alert rules: what they name is there. `make observe-check` also asks a real Prometheus.

mod live;

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use serde_json::Value;
use stepgate::telemetry::metrics::{self, Call, Outcome};

const DASHBOARD: &str = "observability/grafana/stepgate.json";
const ALERTS: &str = "observability/prometheus/alerts.yaml";
const RUNBOOK: &str = "docs/operations.md";

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn dashboard() -> Value {
    serde_json::from_str(&read(DASHBOARD)).unwrap()
}

/// The alerts, in order.
fn alerts() -> Vec<Value> {
    let file: Value = serde_saphyr::from_str(&read(ALERTS)).unwrap();
    let rules = file.pointer("/groups/0/rules");
    rules.and_then(Value::as_array).unwrap().clone()
}

/// All that stands under this key, however deep.
fn all(value: &Value, key: &str) -> Vec<String> {
    let mut found = Vec::new();
    collect(value, key, &mut found);
    found
}

fn collect(value: &Value, key: &str, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, key, found)),
        Value::Object(fields) => {
            for (name, field) in fields {
                match field {
                    Value::String(text) if name == key => found.push(text.clone()),
                    field => collect(field, key, found),
                }
            }
        }
        _ => {}
    }
}

/// Every expression of the dashboard and of the alerts.
fn expressions() -> Vec<String> {
    let alerts = alerts();
    let exprs = alerts.iter().flat_map(|alert| all(alert, "expr"));
    all(&dashboard(), "expr").into_iter().chain(exprs).collect()
}

/// The words of an expression that begin like our metrics.
fn metrics_in(expression: &str) -> impl Iterator<Item = &str> {
    expression
        .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .filter(|word| word.starts_with("stepgate_"))
}

/// The names of the series that Stepgate exports, as its own page declares them.
fn exported() -> BTreeSet<String> {
    // A family without a series is not declared, and an identity domain has one of each from its first call on.
    metrics::kratos("ciam").asked(Call::Whoami, Outcome::Failed, Duration::ZERO);
    let text = metrics::text().unwrap();
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let names = types.flat_map(|line| {
        let (name, kind) = line.split_once(' ').unwrap();
        let endings: &[&str] = match kind {
            "counter" => &["_total"],
            "histogram" => &["_bucket", "_sum", "_count"],
            "info" => &["_info"],
            "gauge" => &[""],
            other => panic!("a {other}?"),
        };
        endings.iter().map(move |ending| format!("{name}{ending}"))
    });
    names.collect()
}

#[test]
fn every_metric_that_is_asked_for_is_exported() {
    let exported = exported();
    for expression in expressions() {
        for metric in metrics_in(&expression) {
            assert!(exported.contains(metric), "`{metric}` in `{expression}`");
        }
    }
}

/// The metric that a series belongs to: a histogram has three.
fn family(series: &str) -> &str {
    let endings = ["_bucket", "_sum", "_count"];
    let family = endings
        .iter()
        .find_map(|ending| series.strip_suffix(ending));
    family.unwrap_or(series)
}

#[test]
fn every_metric_that_is_exported_is_on_the_dashboard_and_explained() {
    let dashboard = all(&dashboard(), "expr").join(" ");
    let shown: BTreeSet<_> = metrics_in(&dashboard).map(family).collect();
    let page = read(RUNBOOK);
    for series in exported() {
        let metric = family(&series);
        assert!(shown.contains(metric), "no panel shows `{metric}`");
        let row = format!("| `{metric}` |");
        assert!(page.contains(&row), "{RUNBOOK} has no row for `{metric}`");
    }
}

#[test]
fn every_reason_that_is_asked_for_is_one() {
    let words = read("src/domain/reason.rs");
    for expression in expressions() {
        for matcher in expression.split("reason").skip(1) {
            let Some(quoted) = matcher
                .split('"')
                .nth(1)
                .filter(|_| matcher.starts_with(['=', '!']))
            else {
                continue;
            };
            for word in quoted.split('|') {
                assert!(
                    words.contains(&format!("=> \"{word}\"")),
                    "`{word}` in `{expression}`"
                );
            }
        }
    }
}

#[test]
fn each_alert_says_what_is_wrong_and_where_it_is_told_what_to_do() {
    let (page, tests) = (
        read(RUNBOOK),
        read("observability/prometheus/alerts_test.yaml"),
    );
    for alert in alerts() {
        let name = alert["alert"].as_str().unwrap();
        assert!(
            page.contains(&format!("\n### {name}\n")),
            "{RUNBOOK}: {name}"
        );
        let runbook = format!("{RUNBOOK}#{}", name.to_lowercase());
        assert_eq!(alert["annotations"]["runbook"], runbook);
        for said in ["summary", "description"] {
            assert!(alert["annotations"][said].is_string(), "{name}: {said}");
        }
        let severity = alert["labels"]["severity"].as_str().unwrap();
        assert!(["critical", "warning"].contains(&severity), "{name}");
        assert!(
            tests.contains(&format!("alertname: {name}\n")),
            "{name} has no test"
        );
    }
}

#[test]
fn the_dashboard_asks_the_prometheus_that_is_chosen() {
    let dashboard = dashboard();
    let list = &dashboard["templating"]["list"];
    assert_eq!(
        (&list[0]["name"], &list[0]["type"]),
        (&"datasource".into(), &"datasource".into())
    );
    assert!(
        all(&dashboard, "uid")
            .iter()
            .all(|uid| uid == "stepgate" || uid == "${datasource}")
    );
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.len(), panels.len());
    for alert in all(&dashboard, "description")
        .iter()
        .filter_map(|text| text.split("Alert: ").nth(1))
    {
        let named = alert.trim_end_matches('.');
        assert!(
            alerts().iter().any(|known| known["alert"] == named),
            "{named}"
        );
    }
}
