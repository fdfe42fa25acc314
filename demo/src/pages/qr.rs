use maud::{Markup, PreEscaped, html};
use qrcode::QrCode;
use qrcode::render::svg;

/// Draws the key of an authenticator app, as all of them read it: `otpauth://totp/ISSUER:ACCOUNT?secret=…`.
/// Empty when the key is too long for a QR code; the key itself stands beside it.
pub(super) fn totp(secret: &str, account: &str) -> Markup {
    let Ok(code) = QrCode::new(otpauth(secret, account)) else {
        return html! {};
    };
    let drawing = code.render::<svg::Color<'_>>().quiet_zone(false).build();
    // The drawing starts with an XML declaration, which has no place inside a page.
    let drawing = drawing
        .find("<svg")
        .and_then(|start| drawing.get(start..))
        .unwrap_or_default();
    html! { div.qr role="img" aria-label="QR code of the key below" { (PreEscaped(drawing)) } }
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
    fn the_drawing_is_an_svg_without_a_declaration() {
        let drawing = totp("OLYMPUS", "a@bank.localhost").into_string();
        assert!(
            drawing.contains("<svg") && !drawing.contains("<?xml"),
            "{drawing}"
        );
    }
}
