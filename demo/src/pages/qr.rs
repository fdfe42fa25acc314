use std::fmt::Write as _;

use maud::{Markup, html};
use qrcodegen::{QrCode, QrCodeEcc};

/// Draws the key of an authenticator app, as all of them read it: `otpauth://totp/ISSUER:ACCOUNT?secret=…`.
/// Empty when the key is too long for a QR code; the key itself stands beside it.
pub(super) fn totp(secret: &str, account: &str) -> Markup {
    let Ok(code) = QrCode::encode_text(&otpauth(secret, account), QrCodeEcc::Medium) else {
        return html! {};
    };
    let size = code.size();
    html! {
        div.qr role="img" aria-label="QR code of the key below" {
            svg viewBox={ "0 0 " (size) " " (size) } shape-rendering="crispEdges" aria-hidden="true" {
                path d=(dark(&code)) fill="#000";
            }
        }
    }
}

/// The dark modules as one path of unit squares.
fn dark(code: &QrCode) -> String {
    let size = code.size();
    let modules = (0..size).flat_map(|y| (0..size).map(move |x| (x, y)));
    modules
        .filter(|&(x, y)| code.get_module(x, y))
        .fold(String::new(), |mut path, (x, y)| {
            // Writing into a string can't fail.
            let _ = write!(path, "M{x} {y}h1v1h-1z");
            path
        })
}

fn otpauth(secret: &str, account: &str) -> String {
    let encode = |text: &str| {
        url::form_urlencoded::byte_serialize(text.as_bytes())
            .collect::<String>()
            .replace('+', "%20")
    };
    format!(
        "otpauth://totp/Olympus%20Bank:{}?secret={}&issuer=Olympus%20Bank",
        encode(account),
        encode(secret)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_written_as_authenticator_apps_read_it() {
        let uri = otpauth("OLYMPUS", "a b@bank.localhost");
        assert_eq!(
            uri,
            "otpauth://totp/Olympus%20Bank:a%20b%40bank.localhost?secret=OLYMPUS&issuer=Olympus%20Bank"
        );
    }

    #[test]
    fn the_drawing_starts_with_the_square_in_the_corner() {
        let drawing = totp("OLYMPUS", "a@bank.localhost").into_string();
        assert!(
            drawing.contains("d=\"M0 0h1v1h-1zM1 0h1v1h-1z"),
            "{drawing}"
        );
    }
}
