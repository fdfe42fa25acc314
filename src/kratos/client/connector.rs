//! The way to Kratos' host: its name is resolved anew for each connection, which is encrypted where the address says so.

use std::{
    error::Error,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::Uri;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::{client::legacy::connect::HttpConnector, rt::TokioIo};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use tokio::{net::TcpStream, time::timeout};
use tower_service::Service;

use super::BuildError;
use crate::kratos::Settings;

/// A connection that is silent for so long is asked whether it still stands.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// Opens connections, each within a time that counts its TLS too.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    connector: HttpsConnector<HttpConnector>,
    time: Duration,
}

type BoxError = Box<dyn Error + Send + Sync>;
type Connecting<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

impl Connector {
    pub(super) fn new(settings: &Settings) -> Result<Self, BuildError> {
        let mut http = HttpConnector::new();
        // Others than http are the wrapper's business.
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_keepalive(Some(KEEPALIVE));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(trust(settings)?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        Ok(Self {
            connector,
            time: settings.timeout,
        })
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = BoxError;
    type Future = Connecting<Self::Response>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.connector.poll_ready(cx)
    }

    fn call(&mut self, address: Uri) -> Self::Future {
        let connecting = timeout(self.time, self.connector.call(address));
        Box::pin(async { connecting.await? })
    }
}

/// Whom to trust: the operator's roots, or the system's for https. For plain http there are none, since reading the
/// system's takes a while.
fn trust(settings: &Settings) -> Result<ClientConfig, BuildError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let builder = match &settings.ca {
        Some(roots) => {
            builder.with_root_certificates(RootCertStore::from_iter(roots.iter().cloned()))
        }
        None if settings.api_url.starts_with("https:") => builder.try_with_platform_verifier()?,
        None => builder.with_root_certificates(RootCertStore::empty()),
    };
    Ok(builder.with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use tokio::{net::TcpListener, time::error::Elapsed};

    use super::*;
    use crate::kratos::cache;

    #[tokio::test]
    async fn a_host_that_never_shakes_hands_is_given_up() {
        let host = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("https://{}", host.local_addr().unwrap());
        let settings = Settings {
            name: "ciam".into(),
            api_url: address.as_str().into(),
            cookie: "sid".into(),
            timeout: Duration::from_millis(20),
            pointers: Vec::new(),
            cache: cache::Settings::default(),
            max_in_flight: 1,
            verifies_signed_out: true,
            health: None,
            ca: Some(Vec::new()),
        };
        let mut connector = Connector::new(&settings).unwrap();
        let error = connector.call(address.parse().unwrap()).await.unwrap_err();
        assert!(error.is::<Elapsed>(), "{error}");
    }
}
