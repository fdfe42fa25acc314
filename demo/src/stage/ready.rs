use std::time::Duration;

use super::error::StageError;
use super::process::Process;
use super::{Place, Stage};
use crate::story::{Browser, Http};

/// Longest a stage may take to answer; a slow machine needs two seconds.
const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(50);

/// Waits until the pages answer as they should, or a child has stopped, or patience ends.
pub(super) async fn wait(stage: &mut Stage) -> Result<(), StageError> {
    let place = stage.place();
    let mut last = String::new();
    let silence = tokio::select! {
        () = until_it_answers(&place, &mut last) => return Ok(()),
        error = stage.broken() => return Err(error),
        () = tokio::time::sleep(PATIENCE) => last,
    };
    let tail = |process: &Option<Process>| process.as_ref().map(Process::tail).unwrap_or_default();
    Err(StageError::Silent {
        last: silence,
        stepgate: tail(&stage.stepgate),
        proxy: tail(&stage.proxy),
    })
}

async fn until_it_answers(place: &Place, last: &mut String) {
    while let Err(miss) = answers(place).await {
        *last = miss;
        tokio::time::sleep(PAUSE).await;
    }
}

/// The login pages, the open page, and a guarded one: so the proxy, Stepgate and Kratos are all there.
async fn answers(place: &Place) -> Result<(), String> {
    let hosts = ["app.bank.localhost", "ciam.bank.localhost"];
    let mut browser =
        Browser::new(Http::One, &hosts, place.envoy).map_err(|error| error.to_string())?;
    for (url, want) in [
        (format!("{}/welcome", place.ciam), 200),
        (place.app.clone(), 200),
        (format!("{}/account", place.app), 303),
    ] {
        let status = browser.get(&url).await?.status;
        if status != want {
            return Err(format!("{url} answers {status} instead of {want}"));
        }
    }
    Ok(())
}
