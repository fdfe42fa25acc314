//! How far an answer of Kratos is believed.

use std::{error::Error, time::SystemTime};

use reqwest::StatusCode;

use super::{
    client::{Answer, CallError, Client},
    wire,
};
use crate::domain::{
    credential::Credential,
    session::{Aal, Enrolment, Factor, Standing},
};

const WHOAMI: &str = "/sessions/whoami";
/// A signed-out visitor is told `session_aal1_required` here; when a query fails, it is a 500.
const TRUTH: &str = "/self-service/login/browser?aal=aal2";
const SETTINGS: &str = "/self-service/settings/browser";
const READY: &str = "/health/ready";

/// Who presents this credential.
pub(super) async fn of_credential(
    client: &Client,
    credential: &Credential,
    now: SystemTime,
) -> Standing {
    match whoami(client, credential, now).await {
        Whoami::Unauthorized => verified(client, credential, now).await,
        Whoami::Says(standing) => standing,
    }
}

/// Nobody presents anything: that is "signed out" once Kratos is known to be well, since a login page that can't answer
/// helps nobody.
pub(super) async fn of_absence(client: &Client) -> Standing {
    match client.get(READY, None).await {
        // Not every Kratos serves its health here.
        Ok(answer) if matches!(answer.status, StatusCode::OK | StatusCode::NOT_FOUND) => {
            Standing::SignedOut
        }
        other => unavailable(&other),
    }
}

/// Which second factors the owner of a session has.
pub(super) async fn of_enrolment(
    client: &Client,
    credential: &Credential,
    aal: Aal,
    now: SystemTime,
) -> Result<Enrolment, Standing> {
    let answer = client.get(SETTINGS, Some(credential)).await;
    match &answer {
        Ok(answer) if answer.status == StatusCode::OK => Ok(enrolment(answer, aal)),
        Ok(answer)
            if answer.status == StatusCode::FORBIDDEN
                && wire::is_error(&answer.body, "session_aal2_required") =>
        {
            Ok(Enrolment::Enrolled)
        }
        Ok(answer) if answer.status == StatusCode::UNAUTHORIZED => {
            match of_credential(client, credential, now).await {
                Standing::Session(_) | Standing::SecondFactorDue => Ok(Enrolment::Unknown),
                standing => Err(standing),
            }
        }
        Ok(answer) if !is_trouble(answer.status) => Ok(Enrolment::Unknown),
        trouble => Err(unavailable(trouble)),
    }
}

/// A settings flow that opens at AAL1 means that there is no second factor, unless it shows one: then the session was
/// lifted meanwhile, or Kratos runs with `settings.required_aal: aal1`. A key may be a first factor, so it proves nothing.
fn enrolment(answer: &Answer, aal: Aal) -> Enrolment {
    let shown = wire::factors_set_up(&answer.body);
    let is_second = |factor: &Factor| matches!(factor, Factor::Totp | Factor::LookupSecret);
    match shown {
        // A 200 that is no flow is somebody else's page.
        None => Enrolment::Unknown,
        Some(factors) if aal >= Aal::Aal2 => Enrolment::SetUp(factors),
        Some(factors) if factors.iter().any(is_second) => Enrolment::Enrolled,
        Some(_) => Enrolment::NotEnrolled,
    }
}

enum Whoami {
    Says(Standing),
    Unauthorized,
}

async fn whoami(client: &Client, credential: &Credential, now: SystemTime) -> Whoami {
    let answer = client.get(WHOAMI, Some(credential)).await;
    Whoami::Says(match &answer {
        Ok(answer) if answer.status == StatusCode::OK => {
            wire::standing(&answer.body, client.pointers(), now)
        }
        Ok(answer) if answer.status == StatusCode::UNAUTHORIZED => return Whoami::Unauthorized,
        Ok(answer)
            if answer.status == StatusCode::FORBIDDEN
                && wire::is_error(&answer.body, "session_aal2_required") =>
        {
            Standing::SecondFactorDue
        }
        other => unavailable(other),
    })
}

/// A second question before a 401 is believed, put so that a broken Kratos answers it differently.
async fn verified(client: &Client, credential: &Credential, now: SystemTime) -> Standing {
    let answer = client.get(TRUTH, Some(credential)).await;
    match &answer {
        Ok(answer)
            if answer.status == StatusCode::UNAUTHORIZED
                && wire::is_error(&answer.body, "session_aal1_required") =>
        {
            Standing::SignedOut
        }
        Ok(answer) if !is_trouble(answer.status) => match whoami(client, credential, now).await {
            Whoami::Unauthorized => Standing::SignedOut,
            Whoami::Says(standing) => standing,
        },
        trouble => unavailable(trouble),
    }
}

fn is_trouble(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
}

/// Leaves a line about what was wrong: its status or its chain of causes, never a body.
fn unavailable(answer: &Result<Answer, CallError>) -> Standing {
    match answer {
        Ok(answer) => tracing::warn!(
            status = answer.status.as_u16(),
            "Kratos gave an answer that proves nothing"
        ),
        Err(error) => {
            let error: &dyn Error = error;
            tracing::warn!(error, "Kratos gave no answer");
        }
    }
    Standing::Unavailable {
        retry_after: answer.as_ref().ok().and_then(|answer| answer.retry_after),
    }
}
