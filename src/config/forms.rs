//! The forms of texts, as far as a schema can tell them: a pattern, or the words of a list.
//!
//! They stand for types whose values are read in `check` and `domain`; no value of theirs is ever made. A test holds them
//! against what loads.

use std::{borrow::Cow, marker::PhantomData};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// `h`, `m`, `s` and `ms`, in this order.
const TIME: &str = r"^(?=[0-9])([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$";
/// Longer than nothing.
const SOME_TIME: &str = r"^(?=.*[1-9])([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$";
/// `off`, which YAML may write as a boolean.
const OFF: [fn() -> serde_json::Value; 2] = [|| "off".into(), || false.into()];

/// Types that stand for texts of a pattern.
macro_rules! patterns {
    ($($(#[$doc:meta])* $name:ident = $pattern:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub(super) enum $name {}

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    )*};
}

/// Types that stand for one of a list of words.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident = $($word:literal)|+;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub(super) enum $name {}

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "enum": [$($word),+] })
            }
        }
    )*};
}

patterns! {
    /// A name of an identity domain.
    Name = "^[a-z0-9._-]{1,64}$";
    /// A rule's id; two are taken.
    Id = r"^(?!(default|kratos\.settings)$)[a-z0-9][a-z0-9._-]{0,63}$";
    /// A duration.
    Time = TIME;
    /// A duration that is not zero.
    SomeTime = SOME_TIME;
    /// An http or https URL with nothing behind its path.
    BaseUrl = r"^https?://[^/?#\\@\s]+(/[^?#\\\s]*)?$";
    /// Scheme, host and port.
    Origin = r"^https?://((\*\.)?([0-9A-Za-z-]+\.)*[0-9A-Za-z-]+\.?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?$";
    /// A host, or every host below one.
    Host = r"^((\*\.)?([0-9A-Za-z-]+\.)*[0-9A-Za-z-]+\.?|\[[0-9A-Fa-f:.]+\])$";
    /// A path pattern; a wildcard is a whole segment.
    Path = r"^/+((\*|\{[0-9A-Za-z_]+\}|(?!\.{1,2}(/|$))[^/*{}%?#;\\\x00-\x1f\x7f-\x9f]+)(/+|$))*(\*\*)?$";
    /// A method.
    Method = "^[A-Z-]+$";
    /// The name of a header or a cookie.
    Token = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";
    /// Where a header's value comes from.
    Source = r"^(identity\.(id|/([^~]|~[01])+)|session\.(id|aal|second_factor_at|methods)|rule\.id)$";
    /// RFC 6901, and not the whole identity.
    Pointer = "^/([^~]|~[01])+$";
    /// A path, or a URL.
    ReturnTo = r"^(/(?!/)|https?://)[^\\\x00-\x20\x7f]*$";
    /// An address and a port, or a socket file.
    Address = r"^(([0-9]{1,3}(\.[0-9]{1,3}){3}|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}|unix:/[^\x00]{0,101}[^/\x00])$";
    /// Who may open a file.
    FileMode = "^0?[0-7]{3}$";
    /// An address, perhaps with a prefix.
    Network = r"^([0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)(/[0-9]{1,3})?$";
}

words! {
    /// `paths.case`
    Case = "sensitive" | "insensitive";
    /// `paths.semicolon`
    Semicolon = "reject" | "keep";
    /// `rules[].mode`
    Mode = "enforce" | "shadow";
    /// `kratos.<name>.refresh`
    Refresh = "always" | "when_stale";
    /// `kratos.<name>.signed_out`
    SignedOut = "verify" | "trust";
    /// `kratos.<name>.enrolment`; YAML may write `off` as a boolean.
    Enrolment = "detect" | "refuse" | "off" | false;
    /// `kratos.<name>.settings`
    Settings = "kratos" | "enrol_first";
    /// `kratos.<name>.credentials[]`
    Credential = "cookie" | "session_token" | "bearer";
    /// `log.level`
    Level = "error" | "warn" | "info" | "debug" | "trace";
    /// `log.format`
    Format = "json" | "text";
    /// A requirement in one word.
    RequireWord = "none" | "session" | "aal2" | "deny";
    /// A level.
    Aal = "aal1" | "aal2";
    /// A second factor of Kratos.
    Factor = "totp" | "webauthn" | "lookup_secret" | "code";
}

/// A text of a form, or a list of them.
#[derive(Debug)]
pub(super) struct Either<T>(PhantomData<T>);

impl<T: JsonSchema> JsonSchema for Either<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("{}OrMany", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
    }
}

/// A duration, or `off`.
#[derive(Debug)]
pub(super) enum TimeOrOff {}

impl JsonSchema for TimeOrOff {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "TimeOrOff".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "string", "pattern": TIME }, { "enum": OFF.map(|off| off()) }] })
    }
}

/// An address and a port, or `off`.
#[derive(Debug)]
pub(super) enum AddressOrOff {}

impl JsonSchema for AddressOrOff {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "AddressOrOff".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let address = generator.subschema_for::<Address>();
        json_schema!({ "anyOf": [address, { "enum": OFF.map(|off| off()) }] })
    }
}

/// A path below a base URL, or `off`.
#[derive(Debug)]
pub(super) enum Health {}

impl JsonSchema for Health {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Health".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "string", "pattern": "^/[!-\"$-~]*$" }, { "enum": OFF.map(|off| off()) }] })
    }
}
