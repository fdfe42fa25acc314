//! The one HTTP client of the demo: plain HTTP on loopback, no proxy, no redirects followed.

use reqwest::redirect::Policy;

/// Starts a client.
///
/// Cargo builds `reqwest` once for the whole workspace, so it has the TLS that Stepgate asks for, and a client can't be
/// built without a provider of cryptography. It gets one, and trusts nobody: the demo speaks no TLS.
pub fn builder() -> reqwest::ClientBuilder {
    // An error means that there is one already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .tls_certs_only([])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_can_be_built_whatever_the_workspace_asks_of_reqwest() {
        assert!(builder().build().is_ok());
    }
}
