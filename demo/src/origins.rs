//! Where a browser meets each part of Olympus Bank.

/// Every origin of Olympus Bank that a browser meets, `http://name:port`, without a final slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origins {
    /// The bank.
    pub app: String,
    /// Its JSON API.
    pub api: String,
    /// The customers' Kratos and its pages.
    pub ciam: String,
    /// The staff's console.
    pub console: String,
    /// The staff's Kratos and its pages: an identity domain of its own.
    pub iam: String,
    /// The caught mails.
    pub mail: String,
}

impl Origins {
    /// The host names, without ports, for a client whose system doesn't resolve names below `localhost`.
    #[must_use]
    pub fn hosts(&self) -> [&str; 6] {
        [
            &self.app,
            &self.api,
            &self.ciam,
            &self.console,
            &self.iam,
            &self.mail,
        ]
        .map(|origin| host(origin))
    }
}

/// The host of an origin, without its port.
#[must_use]
pub fn host(origin: &str) -> &str {
    let host = origin.split_once("://").map_or(origin, |(_, host)| host);
    host.split_once(':').map_or(host, |(host, _)| host)
}
