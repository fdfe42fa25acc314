use std::convert::Infallible;
use std::io;

use demo::stage::{Choice, Stage, StageError, StageOptions, people, staff};
use tokio::sync::mpsc;

/// Starts everything on the demo's own ports, and keeps it until it is dropped or breaks.
pub(crate) async fn run() -> Result<Infallible, StageError> {
    println!(
        "demo: starting two Kratos doubles, the bank, the console, the login pages, Stepgate and Envoy"
    );
    let options = StageOptions {
        ports: Choice::Demo,
        ..StageOptions::default()
    };
    let mut stage = Stage::start(options).await?;
    introduce(&stage);
    let mut enter = lines();
    loop {
        tokio::select! {
            Some(()) = enter.recv() => codes(&stage),
            error = stage.broken() => return Err(error),
        }
    }
}

fn introduce(stage: &Stage) {
    let ports = stage.ports();
    println!("\n  the bank           {}", ports.app());
    println!("  the staff          {}", ports.origins().console);
    println!("  caught mails       {}", ports.origins().mail);
    println!("  what it demands    demo/stepgate.yaml");
    println!("  logs               {}\n", stage.folder().display());
    for customer in people().into_iter().chain(staff()) {
        println!("  {:<22} password {}", customer.email, customer.password);
        if let Some(secret) = &customer.totp_secret {
            println!("  {:<22} key of the app {secret}", "");
            println!(
                "  {:<22} backup codes {}",
                "",
                customer.backup_codes.join(" ")
            );
        }
    }
    println!();
    codes(stage);
    println!("\nPress Enter for a new code, Ctrl-C to stop.");
}

fn codes(stage: &Stage) {
    let place = stage.place();
    for customer in people().into_iter().chain(staff()) {
        if let Some(secret) = &customer.totp_secret {
            println!("  {:<22} code now {}", customer.email, (place.code)(secret));
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
