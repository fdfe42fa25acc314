use demo::stage::{Stage, StageError, StageOptions, people};
use demo::story::{Http, Step, tap, walk};

/// Walks the story over both protocols, each on a stage of its own; whether every step held.
pub(crate) async fn check() -> Result<bool, StageError> {
    let mut steps = Vec::new();
    for http in [Http::One, Http::Two] {
        steps.extend(one(http).await?);
    }
    print!("{}", tap(&steps));
    Ok(steps.iter().all(|step| step.miss.is_none()))
}

async fn one(http: Http) -> Result<Vec<Step>, StageError> {
    let stage = Stage::start(StageOptions::default()).await?;
    let people = people();
    let steps = match people.as_slice() {
        [enrolled, plain, ..] => walk(&stage.place(), http, enrolled, plain).await,
        _ => Vec::new(),
    };
    stage.stop().await;
    Ok(steps)
}
