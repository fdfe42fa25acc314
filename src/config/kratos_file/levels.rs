//! `required_aal`: Kratos' own idea of who needs a second factor.

use super::Reviewed;
use crate::{config::fault::Collector, domain::identity_domain::EnrolmentPolicy};

const WHOAMI: &str = "session.whoami.required_aal";
const SETTINGS: &str = "selfservice.flows.settings.required_aal";

pub(super) fn review(found: &mut Collector, reviewed: &Reviewed<'_>) {
    for (path, (value, at)) in reviewed.tree.everywhere("required_aal") {
        match (&*path, value) {
            (WHOAMI | SETTINGS, "highest_available") | (WHOAMI, "aal1") => {}
            (SETTINGS, "aal1") => settings_are_open(found, reviewed),
            (WHOAMI, _) => found.add(at, format_args!("`required_aal: {value}` is no value of Kratos, which would not start: it knows `aal1` and `highest_available`. Write `aal1` here, and ask for the second factor where it is needed, by a rule of Stepgate with `require: aal2`")),
            (SETTINGS, _) => found.add(at, format_args!("`required_aal: {value}` is no value of Kratos, which would not start: it knows `aal1` and `highest_available`. Write `highest_available`: who has a second factor must use it before changing settings, and who has none can still set one up")),
            _ => found.add(at, format_args!("Kratos has no `{path}`; it asks for a level at `{WHOAMI}` and `{SETTINGS}` alone, and would not start with this. Take it away, and write a rule of Stepgate with `require: aal2`")),
        }
    }
    tell_whoami(found, reviewed);
}

/// Kratos then tells of everyone that they may enrol.
fn settings_are_open(found: &mut Collector, reviewed: &Reviewed<'_>) {
    let asks = reviewed.domain.enrolment != EnrolmentPolicy::Off;
    let why = if asks {
        "Stepgate can't see who has a second factor and would send everyone to set one up, and "
    } else {
        ""
    };
    found.add(reviewed.tree.place(SETTINGS), format_args!("`required_aal: aal1` opens settings without the second factor: {why}whoever holds a password or a mailbox can replace it; write `highest_available`"));
}

/// Its default makes each `session` rule ask those for a second factor who have one.
fn tell_whoami(found: &mut Collector, reviewed: &Reviewed<'_>) {
    let is_lower = reviewed
        .tree
        .text(WHOAMI)
        .is_some_and(|(value, _)| value != "highest_available");
    if !is_lower {
        found.warn(reviewed.tree.place(WHOAMI), format_args!("with `{WHOAMI}` at `highest_available`, Kratos' default, rules with `require: session` ask for a second factor too, from those who have one; write `aal1` where a password is enough for them"));
    }
}
