use std::io;

use demo::stage::{Choice, Stage, StageError, StageOptions, people};
use tokio::sync::mpsc;

/// Starts everything on the demo's own ports, and stops it on Ctrl-C.
pub(crate) async fn run() -> Result<(), StageError> {
    println!("demo: starting the Kratos double, the bank, the login pages, Stepgate and Envoy");
    let mut stage = Stage::start(StageOptions {
        ports: Choice::Demo,
        ..StageOptions::default()
    })
    .await?;
    introduce(&stage);
    let mut enter = lines();
    loop {
        tokio::select! {
            Some(()) = enter.recv() => codes(&stage),
            error = stage.broken() => return Err(error),
            _ = stopped() => break,
        }
    }
    println!("\ndemo: stopping");
    stage.stop().await;
    Ok(())
}

fn introduce(stage: &Stage) {
    let ports = stage.ports();
    println!("\n  The bank             {}", ports.app());
    println!("  Logging in           {}", ports.ciam());
    println!("  What it demands      demo/stepgate.yaml, read again when you change it");
    println!("  Logs                 {}\n", stage.folder().display());
    for customer in people() {
        println!("  {}   password {}", customer.email, customer.password);
        if !customer.backup_codes.is_empty() {
            println!(
                "      key of the app   {}",
                customer.totp_secret.as_deref().unwrap_or_default()
            );
            println!("      backup codes     {}", customer.backup_codes.join(" "));
        }
    }
    codes(stage);
    println!("\n  Press Enter for a new code, Ctrl-C to stop.");
}

fn codes(stage: &Stage) {
    let place = stage.place();
    for customer in people() {
        if let Some(secret) = &customer.totp_secret {
            println!("  Code of {} now: {}", customer.email, (place.code)(secret));
        }
    }
}

/// A message for each line typed. The thread blocks in a read that nothing can end, so no runtime waits for it.
fn lines() -> mpsc::Receiver<()> {
    let (send, receive) = mpsc::channel(1);
    std::thread::spawn(move || {
        for _ in io::stdin().lines().map_while(Result::ok) {
            if send.blocking_send(()).is_err() {
                return;
            }
        }
    });
    receive
}

/// Returns on Ctrl-C, or when the system asks.
async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Without a handler there is nothing to wait for but the end.
    let _ = tokio::signal::ctrl_c().await;
}
