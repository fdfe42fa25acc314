//! The two identity domains: customers and staff, each with a Kratos of its own.

use std::net::{Ipv4Addr, SocketAddr};

use url::Url;

use super::error::StageError;
use super::people::{self, people, staff};
use super::{Cast, Ports, StageOptions};
use crate::kratos::{Double, Options, RequiredAal};
use crate::story::Customer;

/// Where one of them is met, and by whom.
struct Domain<'a> {
    origin: String,
    /// The app's origins, where people may be sent back to.
    back: Vec<String>,
    cookie: &'a str,
    issuer: &'a str,
    ip: Ipv4Addr,
    ports: [u16; 2],
    people: Vec<Customer>,
}

/// The customers' double and the staff's; none where others play.
pub(super) async fn doubles(
    options: &StageOptions,
    ports: &Ports,
) -> Result<[Option<Double>; 2], StageError> {
    if options.kratos == Cast::Outside {
        return Ok([None, None]);
    }
    let required = options.whoami_required_aal;
    Ok([
        Some(customers(ports, required, Ipv4Addr::LOCALHOST).await?),
        Some(members(ports, required).await?),
    ])
}

/// The customers' double, listening at this address.
///
/// # Errors
///
/// An address can't be listened on.
pub async fn customers(
    ports: &Ports,
    required: RequiredAal,
    ip: Ipv4Addr,
) -> Result<Double, StageError> {
    let origins = ports.origins();
    let domain = Domain {
        origin: origins.ciam,
        back: vec![origins.app, origins.api],
        cookie: "bank.localhost",
        issuer: "Olympus Bank",
        ip,
        ports: [ports.kratos_public, ports.kratos_admin],
        people: people(),
    };
    double(domain, required).await
}

/// The staff's double.
async fn members(ports: &Ports, required: RequiredAal) -> Result<Double, StageError> {
    let origins = ports.origins();
    let domain = Domain {
        origin: origins.iam,
        back: vec![origins.console],
        cookie: "corp.localhost",
        issuer: "Olympus staff",
        ip: Ipv4Addr::LOCALHOST,
        ports: [ports.iam_public, ports.iam_admin],
        people: staff(),
    };
    double(domain, required).await
}

async fn double(domain: Domain<'_>, required: RequiredAal) -> Result<Double, StageError> {
    let origin = url(&domain.origin)?;
    let welcome = url(&format!("{}/welcome", domain.origin))?;
    let [public, admin] = domain.ports.map(|port| SocketAddr::from((domain.ip, port)));
    let back = domain.back.iter().chain([&domain.origin]);
    let options = Options {
        base_url: Some(origin.clone()),
        ui_url: origin,
        default_return_url: welcome.clone(),
        logout_return_url: welcome,
        allowed_return_urls: back.map(|origin| format!("{origin}/")).collect(),
        whoami_required_aal: required,
        cookie_domain: Some(domain.cookie.to_owned()),
        totp_issuer: domain.issuer.to_owned(),
        public_listen: public,
        admin_listen: admin,
        ..Options::default()
    };
    let double = Double::start(options).await.map_err(StageError::Double)?;
    for person in &domain.people {
        double.add_person(people::person(person));
    }
    Ok(double)
}

fn url(text: &str) -> Result<Url, StageError> {
    Url::parse(text).map_err(|source| StageError::Url {
        text: text.to_owned(),
        source,
    })
}
