use demo::contract::{self, RequiredAal, Target};
use demo::kratos::{Double, Options};
use url::Url;

/// Which Kratos is held to the contract.
pub(crate) enum Asked {
    /// The double, started for it.
    Double,
    /// A running one.
    Running(Box<Target>),
}

impl Asked {
    /// Nothing, or a public and an admin URL, and the mode where it isn't `aal1`; `None` when it is anything else.
    pub(crate) fn parse(arguments: &[String]) -> Option<Self> {
        let (public, admin, mode) = match arguments {
            [] => return Some(Self::Double),
            [public, admin] => (public, admin, RequiredAal::Aal1),
            [public, admin, mode] => (public, admin, required_aal(mode)?),
            _ => return None,
        };
        let target = Target::new(Url::parse(public).ok()?, Url::parse(admin).ok()?, mode);
        Some(Self::Running(Box::new(target)))
    }

    /// Asks every row and prints what came of it; whether all that were asked held.
    pub(crate) async fn hold(self) -> std::io::Result<bool> {
        let report = match self {
            Self::Running(target) => contract::run(&target).await,
            Self::Double => {
                let double = Double::start(Options::default()).await?;
                let clock = double.clock().clone();
                let target =
                    Target::new(double.public_url(), double.admin_url(), RequiredAal::Aal1);
                contract::run(&target.with_advance(move |time| clock.advance(time))).await
            }
        };
        println!("{report}");
        Ok(report.is_green())
    }
}

fn required_aal(mode: &str) -> Option<RequiredAal> {
    match mode {
        "aal1" => Some(RequiredAal::Aal1),
        "highest_available" => Some(RequiredAal::HighestAvailable),
        _ => None,
    }
}
