//! The doors. They turn what arrives into facts, ask the authorizer, and encode its reply; they hold no logic of their own.

pub mod ext_authz;
pub mod listen;
pub mod runtime;
