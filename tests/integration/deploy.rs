//! Everything under `envoy/` is held by something, and what can be loaded here is.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use serde_json::Value;
use stepgate::{
    config::Config,
    domain::{context, rule::Requirement},
};

/// What holds each file. *Run*: by these tests or `make compose-check`, as it stands. *Validated*: by `make kube-check`, against
/// what its owner publishes.
const HELD: [(&str, &str); 29] = [
    ("caddy/Caddyfile", "run: proxies.rs, in Caddy"),
    ("compose/check.sh", "run: make compose-check"),
    (
        "compose/envoy.yaml",
        "run: make compose-check, in Envoy; held to envoy.yaml below",
    ),
    (
        "compose/kratos/identity.schema.json",
        "run once, in Kratos v26.2.0; the double takes its place in make compose-check",
    ),
    (
        "compose/kratos/kratos.yml",
        "run once, in Kratos v26.2.0; the double takes its place in make compose-check",
    ),
    (
        "compose/stepgate.yaml",
        "run: make compose-check; loaded below",
    ),
    (
        "contour/stepgate.yaml",
        "validated; its context loaded below",
    ),
    ("docker-compose.yml", "run: make compose-check"),
    ("envoy.yaml", "run: through_envoy.rs, make demo-check"),
    ("gateway/gateway.yaml", "validated"),
    (
        "gateway/security-policy.yaml",
        "validated; its context loaded below",
    ),
    ("helm/.helmignore", "validated: make kube-check, in Helm"),
    (
        "helm/Chart.yaml",
        "validated: make kube-check, in Helm; its version held below",
    ),
    (
        "helm/ci/everything-values.yaml",
        "validated: make kube-check, in Helm",
    ),
    (
        "helm/ci/smallest-values.yaml",
        "validated: make kube-check, in Helm; its configuration loaded below",
    ),
    (
        "helm/templates/NOTES.txt",
        "validated: make kube-check, in Helm",
    ),
    (
        "helm/templates/_helpers.tpl",
        "validated: make kube-check, in Helm",
    ),
    ("helm/templates/configmap.yaml", "validated"),
    ("helm/templates/deployment.yaml", "validated"),
    ("helm/templates/horizontalpodautoscaler.yaml", "validated"),
    ("helm/templates/networkpolicy.yaml", "validated"),
    ("helm/templates/poddisruptionbudget.yaml", "validated"),
    ("helm/templates/service.yaml", "validated"),
    ("helm/templates/serviceaccount.yaml", "validated"),
    ("helm/templates/servicemonitor.yaml", "validated"),
    (
        "helm/values.schema.json",
        "validated: make kube-check, in Helm",
    ),
    ("helm/values.yaml", "validated: make kube-check, in Helm"),
    ("http_service.yaml", "run: http.rs, in Envoy"),
    ("istio/authorization-policy.yaml", "validated"),
];
/// The rest of the table.
const HELD_TOO: [(&str, &str); 4] = [
    ("istio/destination-rule.yaml", "validated"),
    ("istio/mesh-config.yaml", "validated"),
    ("nginx/nginx.conf", "run: proxies.rs, in nginx"),
    (
        "traefik/dynamic.yaml",
        "neither: proxies.rs sends what Traefik documents",
    ),
];

fn envoy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("envoy")
}

fn read(file: &str) -> String {
    let path = envoy().join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The documents of a YAML file.
fn documents(file: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(&read(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The files of a folder and of all below it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let inside = |path: PathBuf| {
        if path.is_dir() {
            files(&path)
        } else {
            vec![path]
        }
    };
    entries.flat_map(inside).collect()
}

#[test]
fn every_file_an_operator_starts_from_is_held_by_something() {
    let found = files(&envoy());
    let found: BTreeSet<_> = found
        .iter()
        .map(|path| path.strip_prefix(envoy()).unwrap().display().to_string())
        .collect();
    let told = HELD.iter().chain(&HELD_TOO);
    let told: BTreeSet<_> = told.map(|(file, _)| (*file).to_owned()).collect();
    assert_eq!(found, told);
}

/// `envoy.yaml` with the names, the addresses and the two Stepgates of the containers.
fn in_containers(envoy: &str) -> String {
    let head = "\
# `envoy/envoy.yaml` with the names and addresses of `docker-compose.yml`, and two Stepgates. A test holds the two files
# together, so don't change this one: change the other, then run `UPDATE=1 cargo test --test integration deploy`.

";
    let endpoint = |address: &str, port: u16| {
        format!(
            "              - endpoint: {{ address: {{ socket_address: {{ address: {address}, port_value: {port} }} }} }}\n"
        )
    };
    let (_, body) = envoy.split_once("static_resources:").unwrap();
    let mut text = format!("static_resources:{body}");
    let mut swap = |old: &str, new: &str| {
        assert!(text.contains(old), "{old}");
        text = text.replace(old, new);
    };
    swap(
        "address: 127.0.0.1, port_value: 8080",
        "address: 0.0.0.0, port_value: 8080",
    );
    swap(
        "      type: STATIC\n",
        "      type: STRICT_DNS\n      dns_lookup_family: V4_ONLY\n",
    );
    swap(
        "        # List each replica here, or use STRICT_DNS with a name that resolves to all of them.\n",
        "",
    );
    swap(
        &endpoint("127.0.0.1", 9191),
        &(endpoint("stepgate-1", 9191) + &endpoint("stepgate-2", 9191)),
    );
    for (name, port) in [("bank", 8081), ("pages", 8082), ("kratos", 4433)] {
        swap(&endpoint("127.0.0.1", port), &endpoint(name, port));
    }
    head.to_owned() + &text
}

#[test]
fn the_containers_have_the_envoy_of_the_demo() {
    let want = in_containers(&read("envoy.yaml"));
    if env::var_os("UPDATE").is_some() {
        fs::write(envoy().join("compose/envoy.yaml"), &want).unwrap();
    }
    assert!(
        read("compose/envoy.yaml") == want,
        "run UPDATE=1 cargo test --test integration deploy"
    );
}

#[test]
fn the_configuration_of_the_containers_is_sound() {
    let config = Config::parse("compose/stepgate.yaml", &read("compose/stepgate.yaml"));
    let config = config.unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(config.policy.rules.rules().len(), 2);
    assert_eq!(config.warnings, []);
}

#[test]
fn the_configuration_that_the_chart_shows_is_sound() {
    let values = documents("helm/ci/smallest-values.yaml");
    // JSON is YAML.
    let config = Config::parse("smallest-values.yaml", &values[0]["config"].to_string());
    let config = config.unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(&*config.policy.rules.rules()[0].id, "transfer");
}

#[test]
fn the_chart_has_the_version_of_the_crate() {
    let chart = documents("helm/Chart.yaml");
    for key in ["version", "appVersion"] {
        assert_eq!(chart[0][key], env!("CARGO_PKG_VERSION"), "{key}");
    }
}

/// What a route asks of Stepgate, as Envoy sends it.
fn demand(entries: &[(&str, &Value)]) -> Requirement {
    let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
    let entries: Vec<_> = entries
        .iter()
        .map(|(key, value)| (bytes(key), bytes(value.as_str().unwrap())))
        .collect();
    context::parse(&entries, &[]).unwrap()
}

fn two_factors_younger_than_five_minutes(requirement: &Requirement) -> bool {
    let same = context::parse(
        &[("require", "aal2"), ("max_age", "5m")].map(|(key, value)| {
            (
                Bytes::from_static(key.as_bytes()),
                Bytes::from_static(value.as_bytes()),
            )
        }),
        &[],
    );
    *requirement == same.unwrap()
}

#[test]
fn the_level_of_a_route_behind_envoy_gateway_is_understood() {
    let documents = documents("gateway/security-policy.yaml");
    let entries = documents[1]["spec"]["extAuth"]["contextExtensions"]
        .as_array()
        .unwrap();
    let entries: Vec<_> = entries
        .iter()
        .map(|entry| (entry["name"].as_str().unwrap(), &entry["value"]))
        .collect();
    assert!(two_factors_younger_than_five_minutes(&demand(&entries)));
}

#[test]
fn the_level_of_a_route_behind_contour_is_understood() {
    let documents = documents("contour/stepgate.yaml");
    let entries = documents[1]["spec"]["routes"][0]["authPolicy"]["context"]
        .as_object()
        .unwrap();
    let entries: Vec<_> = entries
        .iter()
        .map(|(key, value)| (key.as_str(), value))
        .collect();
    assert!(two_factors_younger_than_five_minutes(&demand(&entries)));
}

#[test]
fn no_file_opens_when_stepgate_is_gone() {
    for (file, _) in HELD.iter().chain(&HELD_TOO) {
        let text = read(file).to_lowercase();
        for open in ["failopen: true", "failure_mode_allow: true"] {
            assert!(!text.contains(open), "{file}: {open}");
        }
    }
}

#[test]
fn envoy_asks_another_replica_where_one_dies() {
    // Envoy takes a `retry_policy` below `envoy_grpc` too, and ignores it: that one is for its own long-lived streams.
    for file in ["envoy.yaml", "compose/envoy.yaml"] {
        let filter = &documents(file)[0]["static_resources"]["listeners"][0]["filter_chains"][0]["filters"]
            [0]["typed_config"]["http_filters"][0]["typed_config"]["grpc_service"];
        assert_eq!(filter["retry_policy"]["num_retries"], 2, "{file}");
        assert!(filter["envoy_grpc"].get("retry_policy").is_none(), "{file}");
    }
}
