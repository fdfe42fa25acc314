//! The picture of a text that a phone scans: a QR code as a PNG.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use png::{BitDepth, ColorType, Compression, Encoder, EncodingError};
use qrcodegen::{QrCode, QrCodeEcc};

/// Pixels a side of the picture.
const SIDE: u32 = 256;
/// Modules of white around the code.
const MARGIN: i32 = 4;

/// `text` as a PNG of [`SIDE`] by [`SIDE`] pixels, in base64; empty where it is too long for a code.
pub(crate) fn picture(text: &str) -> String {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok();
    let png = code.and_then(|code| encode(&code).ok());
    STANDARD.encode(png.unwrap_or_default())
}

fn encode(code: &QrCode) -> Result<Vec<u8>, EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, SIDE, SIDE);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::One);
    encoder.set_compression(Compression::Fastest);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels(code))?;
    writer.finish()?;
    Ok(bytes)
}

/// One bit a pixel, white is set, rows of whole bytes.
fn pixels(code: &QrCode) -> Vec<u8> {
    let modules = code.size().saturating_add(MARGIN.saturating_mul(2));
    let module = |pixel: u32| {
        let pixel = i32::try_from(pixel).unwrap_or_default();
        let side = i32::try_from(SIDE).unwrap_or(1);
        pixel
            .saturating_mul(modules)
            .checked_div(side)
            .unwrap_or_default()
            .saturating_sub(MARGIN)
    };
    let columns: Vec<i32> = (0..SIDE).map(module).collect();
    let row = |y: i32| {
        columns.chunks(8).map(move |chunk| {
            chunk.iter().fold(0_u8, |byte, &x| {
                byte.wrapping_shl(1) | u8::from(!code.get_module(x, y))
            })
        })
    };
    (0..SIDE).flat_map(|pixel| row(module(pixel))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_a_png() {
        let bytes = STANDARD
            .decode(picture("otpauth://totp/a:b?secret=NOTASECRET"))
            .unwrap();
        assert!(bytes.starts_with(b"\x89PNG"));
    }
}
