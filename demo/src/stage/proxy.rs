use std::path::Path;

/// What stands in front of the bank and asks Stepgate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proxy {
    /// Envoy, asking over gRPC.
    Envoy,
    /// Envoy, asking over HTTP.
    EnvoyHttp,
    /// Caddy, with `forward_auth`.
    Caddy,
    /// nginx, with `auth_request`.
    Nginx,
}

impl Proxy {
    /// The program's name.
    #[must_use]
    pub fn program(self) -> &'static str {
        match self {
            Self::Envoy | Self::EnvoyHttp => "envoy",
            Self::Caddy => "caddy",
            Self::Nginx => "nginx",
        }
    }

    /// What `make` gets it by.
    #[must_use]
    pub fn target(self) -> &'static str {
        match self {
            Self::Envoy | Self::EnvoyHttp => "envoy",
            Self::Caddy | Self::Nginx => "proxies",
        }
    }

    /// Its configuration, from the project's folder.
    pub(super) fn file(self) -> &'static str {
        match self {
            Self::Envoy => "envoy/envoy.yaml",
            Self::EnvoyHttp => "envoy/http_service.yaml",
            Self::Caddy => "envoy/caddy/Caddyfile",
            Self::Nginx => "envoy/nginx/nginx.conf",
        }
    }

    /// How it is started with this configuration, in this folder, as one process that stays in front.
    pub(super) fn arguments(self, file: &str, folder: &Path) -> Vec<String> {
        let folder = folder.display().to_string();
        let words: &[&str] = match self {
            Self::Envoy | Self::EnvoyHttp => &[
                "-c",
                file,
                "--disable-hot-restart",
                "--concurrency",
                "2",
                "--log-level",
                "warning",
                // A line of the access log is in the file when somebody looks for it.
                "--file-flush-interval-msec",
                "100",
            ],
            Self::Caddy => &["run", "--adapter", "caddyfile", "--config", file],
            Self::Nginx => &[
                "-p",
                &folder,
                "-e",
                "stderr",
                "-c",
                file,
                "-g",
                "daemon off; master_process off;",
            ],
        };
        words.iter().map(|word| (*word).to_owned()).collect()
    }
}
