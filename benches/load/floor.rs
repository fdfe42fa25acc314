//! The floor: a server on the stock types that decodes the whole check and gives every one the same answer.

use std::net::{Ipv4Addr, SocketAddr};

use envoy_types::pb::{
    envoy::{
        config::core::v3::{HeaderValue, HeaderValueOption},
        service::auth::v3::{
            CheckRequest, CheckResponse, DeniedHttpResponse, OkHttpResponse,
            authorization_server::{Authorization, AuthorizationServer},
            check_response::HttpResponse,
        },
        r#type::v3::HttpStatus,
    },
    google::rpc,
};
use tonic::{Request, Response, Status, transport::Server};

use crate::Outcome;

/// How this program is started to answer every check with an allow.
pub(crate) const ALLOW: &str = "allow-all PORT_1";
/// And to answer every check with a 303, as a refusal of a page is.
pub(crate) const REDIRECT: &str = "redirect-all PORT_1";

/// `PERMISSION_DENIED` of gRPC.
const PERMISSION_DENIED: i32 = 7;
/// A redirect of the length that Stepgate's have.
const LOCATION: &str = "https://ciam.test/self-service/login/browser?aal=aal2&refresh=true&return_to=https%3A%2F%2Fapp.test%2Ftransfer%2F1";

/// Serves until it is killed.
pub(crate) async fn serve(redirects: bool, port: u16) -> Outcome<()> {
    let floor = Floor { redirects };
    Server::builder()
        .add_service(AuthorizationServer::new(floor))
        .serve(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        .await?;
    Ok(())
}

struct Floor {
    redirects: bool,
}

#[tonic::async_trait]
impl Authorization for Floor {
    async fn check(
        &self,
        request: Request<CheckRequest>,
    ) -> Result<Response<CheckResponse>, Status> {
        if request.get_ref().attributes.is_none() {
            return Err(Status::invalid_argument("a check without attributes"));
        }
        let response = if self.redirects { redirect() } else { allow() };
        Ok(Response::new(response))
    }
}

fn allow() -> CheckResponse {
    CheckResponse {
        status: Some(rpc::Status::default()),
        http_response: Some(HttpResponse::OkResponse(OkHttpResponse::default())),
        ..CheckResponse::default()
    }
}

fn redirect() -> CheckResponse {
    let location = HeaderValueOption {
        header: Some(HeaderValue {
            key: "location".to_owned(),
            value: LOCATION.to_owned(),
            ..HeaderValue::default()
        }),
        ..HeaderValueOption::default()
    };
    let denied = DeniedHttpResponse {
        status: Some(HttpStatus { code: 303 }),
        headers: vec![location],
        ..DeniedHttpResponse::default()
    };
    CheckResponse {
        status: Some(rpc::Status {
            code: PERMISSION_DENIED,
            ..rpc::Status::default()
        }),
        http_response: Some(HttpResponse::DeniedResponse(denied)),
        ..CheckResponse::default()
    }
}
