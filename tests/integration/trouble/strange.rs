//! What a Kratos in trouble says.

use crate::scripted::{Script, answer};

/// A session at AAL2.
pub(crate) const AAL2: &str = r#"{"id":"s","active":true,"expires_at":"2099-01-01T00:00:00Z","authenticator_assurance_level":"aal2",
    "authentication_methods":[{"method":"totp","aal":"aal2","completed_at":"2026-01-01T00:00:00Z"}],
    "identity":{"id":"i","metadata_public":{"role":"admin"}}}"#;
/// What whoami says where it knows of no session.
pub(super) const UNAUTHORIZED: &str = r#"{"error":{"code":401}}"#;

/// Answers that prove nothing, whatever was asked.
pub(super) fn nothing() -> Vec<Script> {
    let evil = "location: http://127.0.0.1:9/evil\r\n";
    let statuses = [500, 501, 502, 503, 504, 507, 599, 429];
    let broken = [
        Script::Breaks(String::new()),
        Script::Breaks("HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n{\"id\":".into()),
        Script::Says(String::new()),
        Script::Says("SSH-2.0-OpenSSH\r\n\r\n".into()),
        Script::Says("HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n{".into()),
        Script::Says("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}".into()),
        Script::Says("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n".into()),
        Script::Says(format!(
            "HTTP/1.1 200 OK\r\nx: {}\r\n\r\n",
            "a".repeat(2 << 20)
        )),
        Script::Says("HTTP/1.1 100 Continue\r\n\r\n".into()),
        Script::Stalls(String::new()),
        Script::Stalls("HTTP/1.1 200 OK\r\n".into()),
        Script::Stalls("HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n{\"id\":".into()),
        Script::Endless("HTTP/1.1 200 OK\r\n\r\n"),
    ];
    let failed = statuses.map(|status| answer(status, evil, AAL2));
    failed.into_iter().chain(broken).collect()
}

/// What whoami may say besides, none of which is a session or its absence.
pub(super) fn no_whoami() -> Vec<Script> {
    let evil = "location: http://127.0.0.1:9/evil\r\n";
    let statuses = [
        201, 202, 203, 204, 206, 226, 300, 301, 302, 303, 304, 307, 308, 400, 402, 403, 404, 405,
        410, 418, 431,
    ];
    let bodies = [
        "",
        "<html>Log in</html>",
        "null",
        "true",
        "[]",
        "{}",
        "\"aal2\"",
        "{\"active\":true}",
        "\u{feff}{}",
        UNAUTHORIZED,
        &AAL2.replace("true", "\"true\""),
        &AAL2.replace("true", "1"),
        &AAL2.replace("true", "null"),
        &AAL2.replace("aal2\",\n", "AAL2\",\n"),
        &AAL2.replace("aal2\",\n", "aal3\",\n"),
        &AAL2.replace("aal2\",\n", " aal2\",\n"),
        &AAL2.replace("aal2\",\n", "\",\n"),
        &AAL2.replace("\"aal2\",\n", "2,\n"),
        &AAL2.replace("\"aal2\",\n", "[\"aal2\"],\n"),
        &AAL2.replace("2099-01-01T00:00:00Z", "never"),
        &AAL2.replace("2099-01-01T00:00:00Z", ""),
        &AAL2.replace("\"2099-01-01T00:00:00Z\"", "4070908800"),
        &AAL2.replace("\"2099-01-01T00:00:00Z\"", "NaN"),
        &AAL2.replace("2099-01-01T00:00:00Z", "2099-01-01"),
        &AAL2.replace("2099-01-01T00:00:00Z", "2099-13-01T00:00:00Z"),
        &AAL2.replace("\"expires_at\"", "\"expires\""),
        &AAL2.replace("\"id\":\"i\",", ""),
        &AAL2.replace("\"id\":\"i\"", "\"id\":null"),
        &AAL2.replace("\"id\":\"i\"", "\"id\":1"),
        &AAL2.replace("\"id\":\"s\",", ""),
        &AAL2.replace("\"active\":true,", ""),
        &format!("{AAL2}x"),
        &format!("{AAL2}{AAL2}"),
        AAL2.strip_suffix('}').unwrap(),
        &AAL2.replace("\"active\":true", "\"active\":false,\"active\":true"),
        &AAL2.replace(
            "\"identity\"",
            "\"authenticator_assurance_level\":\"aal2\",\"identity\"",
        ),
        &AAL2.replace("\"identity\":{", "\"identity\":{\"id\":\"j\","),
        &AAL2.replace("\"identity\":", "\"identity\":null,\"identities\":"),
        &AAL2.replace("\"method\":\"totp\"", "\"method\":1"),
        &AAL2.replace("[{", "{").replace("}],", "},"),
        &"[".repeat(10_000),
    ];
    let odd = statuses
        .map(|status| answer(status, evil, AAL2))
        .into_iter();
    odd.chain(bodies.iter().map(|body| answer(200, "", body)))
        .collect()
}
