//! Where spans go: what the `OTEL_*` variables say, and a collector that may be gone.

use std::{
    env, fs,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use opentelemetry::KeyValue;
use opentelemetry_otlp::{
    ExporterBuildError, OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL,
    OTEL_EXPORTER_OTLP_PROTOCOL_HTTP_PROTOBUF, OTEL_EXPORTER_OTLP_TIMEOUT,
    OTEL_EXPORTER_OTLP_TIMEOUT_DEFAULT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL, OTEL_EXPORTER_OTLP_TRACES_TIMEOUT, Protocol,
    WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    resource::{EnvResourceDetector, TelemetryResourceDetector},
    trace::{SdkTracerProvider, SpanData, SpanExporter},
};
use reqwest::{Certificate, blocking, redirect};

use crate::telemetry::clock::Stopwatch;

/// PEM roots for an https collector, by the names of the OpenTelemetry specification.
const CERTIFICATE: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CERTIFICATE",
];
const ENDPOINT: [&str; 2] = [
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
    OTEL_EXPORTER_OTLP_ENDPOINT,
];
const PROTOCOL: [&str; 2] = [
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL,
    OTEL_EXPORTER_OTLP_PROTOCOL,
];
const TIMEOUT: [&str; 2] = [
    OTEL_EXPORTER_OTLP_TRACES_TIMEOUT,
    OTEL_EXPORTER_OTLP_TIMEOUT,
];
const EXPORTER: &str = "OTEL_TRACES_EXPORTER";
const SDK_DISABLED: &str = "OTEL_SDK_DISABLED";
const SERVICE_NAME: &str = "OTEL_SERVICE_NAME";
/// How long the log says nothing more of a collector that can't be had.
const QUIET: Duration = Duration::from_secs(60);

/// Why there are no traces though the environment asks for them. No value of a variable is in it: some hold secrets.
#[derive(Debug, thiserror::Error)]
pub(super) enum CollectorError {
    #[error("`OTEL_EXPORTER_OTLP_ENDPOINT` must be a URL that begins with `http://` or `https://`")]
    Endpoint,
    #[error(
        "`{0}` asks for another protocol than `http/protobuf`, the only one here; the port of that is usually 4318"
    )]
    Protocol(&'static str),
    #[error("`{0}` names a file that can't be read as PEM certificates")]
    Certificate(&'static str),
    #[error("can't set up the client for the collector: {0}")]
    Client(#[from] reqwest::Error),
    #[error("can't set up the exporter: {0}")]
    Exporter(#[from] ExporterBuildError),
}

/// What makes and sends spans; nothing where the environment names no collector, or wants no traces.
pub(super) fn provider() -> Result<Option<SdkTracerProvider>, CollectorError> {
    let Some((_, endpoint)) = first(ENDPOINT).filter(|_| !are_unwanted()) else {
        return Ok(None);
    };
    let scheme = endpoint.split_once("://").map(|(scheme, _)| scheme);
    if !matches!(scheme, Some("http" | "https")) {
        return Err(CollectorError::Endpoint);
    }
    if let Some((name, protocol)) = first(PROTOCOL)
        && protocol != OTEL_EXPORTER_OTLP_PROTOCOL_HTTP_PROTOBUF
    {
        return Err(CollectorError::Protocol(name));
    }
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_http_client(client(scheme == Some("https"))?)
        .build()?;
    let exporter = Told {
        exporter,
        silence: Mutex::default(),
    };
    let provider = SdkTracerProvider::builder()
        .with_resource(resource())
        .with_batch_exporter(exporter);
    Ok(Some(provider.build()))
}

fn are_unwanted() -> bool {
    let is = |name, word: &str| {
        variable(name).is_some_and(|value| value.trim().eq_ignore_ascii_case(word))
    };
    is(SDK_DISABLED, "true") || is(EXPORTER, "none")
}

/// The way to the collector. As with Kratos, no proxy variable steers it and no redirect is followed.
fn client(is_https: bool) -> Result<blocking::Client, CollectorError> {
    // A second installation fails and changes nothing.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let builder = blocking::Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .timeout(timeout());
    let builder = match roots()? {
        Some(roots) => builder.tls_certs_only(roots),
        None if is_https => builder,
        // Reading the system's roots takes a while.
        None => builder.tls_certs_only([]),
    };
    Ok(builder.build()?)
}

fn roots() -> Result<Option<Vec<Certificate>>, CollectorError> {
    let Some((name, file)) = first(CERTIFICATE) else {
        return Ok(None);
    };
    let unreadable = || CollectorError::Certificate(name);
    let pem = fs::read(file).map_err(|_| unreadable())?;
    let roots = Certificate::from_pem_bundle(&pem).map_err(|_| unreadable())?;
    Ok(Some(roots))
}

/// The longest that a batch may take, which the variables give in milliseconds.
fn timeout() -> Duration {
    let millis = first(TIMEOUT).and_then(|(_, millis)| millis.parse().ok());
    millis.map_or(OTEL_EXPORTER_OTLP_TIMEOUT_DEFAULT, Duration::from_millis)
}

/// Who sends the spans: what the environment says, and where it doesn't, our own name.
fn resource() -> Resource {
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let resource = Resource::builder_empty()
        .with_service_name("stepgate")
        .with_attribute(version)
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_detector(Box::new(EnvResourceDetector::new()));
    match variable(SERVICE_NAME) {
        Some(name) => resource.with_service_name(name).build(),
        None => resource.build(),
    }
}

/// The first of these that is set, and what it is set to.
fn first(names: [&'static str; 2]) -> Option<(&'static str, String)> {
    names
        .into_iter()
        .find_map(|name| Some((name, variable(name)?)))
}

/// An empty variable is none, as the specification has it.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Sends spans, and tells the log now and then that it can't.
#[derive(Debug)]
struct Told<E> {
    exporter: E,
    silence: Mutex<Silence>,
}

/// What the log was not told of.
#[derive(Debug, Default)]
struct Silence {
    since: Option<Stopwatch>,
    lost: usize,
}

impl Silence {
    /// So many more were lost: how many are to be told of now, if any.
    fn end(&mut self, lost: usize) -> Option<usize> {
        self.lost = self.lost.saturating_add(lost);
        if self.since.is_some_and(|since| since.elapsed() < QUIET) {
            return None;
        }
        self.since = Some(Stopwatch::start());
        Some(std::mem::take(&mut self.lost))
    }
}

impl<E: SpanExporter> SpanExporter for Told<E> {
    /// A batch that can't be sent is lost and told of here: the library, which would tell of each, hears that all is well.
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        if let Err(error) = self.exporter.export(batch).await {
            let mut silence = self.silence.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(lost) = silence.end(spans) {
                tracing::warn!(%error, lost, "spans can't be sent to the collector of `OTEL_EXPORTER_OTLP_ENDPOINT`");
            }
        }
        Ok(())
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_told_of_the_first_loss_and_then_of_none_for_a_while() {
        let mut silence = Silence::default();
        assert_eq!(silence.end(3), Some(3));
        assert_eq!(silence.end(2), None);
        assert_eq!(silence.end(2), None);
        assert_eq!(silence.lost, 4, "kept for the next line");
    }
}
