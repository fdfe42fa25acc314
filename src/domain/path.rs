//! The path a request names, decoded once, and every way an upstream could read it.

use std::collections::BTreeSet;

/// Longest path in bytes, before the `?`.
const MAX_PATH_BYTES: usize = 8 * 1024;

/// A path as rules match it.
///
/// A *reading* is percent-decoded, has single slashes and no slash at its end: `/users/ann`, and the empty string for `/`.
/// No segment of it is `.` or `..`, and no byte of it is a control byte or a backslash.
///
/// Most paths have one reading. Where the decoded path holds `?`, `#` or a kept `;`, an upstream may cut there, so every
/// cut is a reading too and the request must meet what each of them demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    whole: Box<[u8]>,
    cuts: Vec<Box<[u8]>>,
}

/// How paths are read; the configuration's `paths`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PathOptions {
    /// `;` is data (`paths.semicolon: keep`), else a path that holds one is refused.
    pub keep_semicolon: bool,
    /// The application ignores case (`paths.case: insensitive`).
    pub ignore_case: bool,
}

/// Why a path was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It does not start with `/`, as for `CONNECT` and `OPTIONS *`.
    #[error("the path does not start with a slash")]
    NotAbsolute,
    /// More than 8 KiB before the `?`.
    #[error("the path is longer than 8 KiB")]
    TooLong,
    /// A `.` or `..` segment, plain or encoded.
    #[error("the path holds a dot segment")]
    DotSegment,
    /// `%2f`, `%5c`, or a backslash.
    #[error("the path holds an encoded slash or a backslash")]
    HiddenSlash,
    /// A control byte or a blank, plain or encoded.
    #[error("the path holds a control byte")]
    Control,
    /// A `#`, which a client never sends.
    #[error("the address holds a fragment")]
    Fragment,
    /// `%` without two hexadecimal digits behind it.
    #[error("the path holds a broken percent escape")]
    BadEscape,
    /// Decoding it twice gives something else that matters.
    #[error("the path is encoded twice")]
    EncodedTwice,
    /// `;` under `paths.semicolon: reject`.
    #[error("the path holds a semicolon")]
    Semicolon,
}

impl Path {
    /// Reads the path of a request target, the part before the first `?`.
    ///
    /// # Errors
    /// See [`PathError`].
    pub fn parse(target: &[u8], options: PathOptions) -> Result<Self, PathError> {
        let raw = target.split(|&b| b == b'?').next().unwrap_or_default();
        check_raw(target, raw)?;
        let decoded = decode(raw)?;
        check_decoded(&decoded, options)?;
        check_decoded_again(&decoded)?;
        Ok(Self::from_decoded(&decoded, options))
    }

    fn from_decoded(decoded: &[u8], options: PathOptions) -> Self {
        let finish = |path: &[u8]| {
            let path = normalise(path);
            if options.ignore_case {
                fold_case(&path)
            } else {
                path
            }
        };
        let whole = finish(decoded);
        let cuts = cuts(decoded);
        let cuts: BTreeSet<_> = cuts
            .iter()
            .map(|cut| finish(cut))
            .filter(|cut| *cut != whole)
            .collect();
        Self {
            whole,
            cuts: cuts.into_iter().collect(),
        }
    }

    /// The path as it stands: its rule's id, `return_to` and settings hold for the request.
    #[must_use]
    pub fn whole(&self) -> &[u8] {
        &self.whole
    }

    /// Every other reading, each once.
    pub fn cuts(&self) -> impl Iterator<Item = &[u8]> {
        self.cuts.iter().map(|cut| &**cut)
    }
}

fn check_raw(target: &[u8], raw: &[u8]) -> Result<(), PathError> {
    if target.contains(&b'#') {
        Err(PathError::Fragment)
    } else if target.iter().any(|&b| is_control(b)) {
        Err(PathError::Control)
    } else if !raw.starts_with(b"/") {
        Err(PathError::NotAbsolute)
    } else if raw.len() > MAX_PATH_BYTES {
        Err(PathError::TooLong)
    } else {
        Ok(())
    }
}

/// A blank counts: no client sends one raw in a target.
fn is_control(byte: u8) -> bool {
    byte <= b' ' || byte == 0x7f
}

/// Decodes once; an escape for a slash is refused while it can still be told from a slash.
fn decode(raw: &[u8]) -> Result<Vec<u8>, PathError> {
    let mut decoded = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((&first, behind)) = rest.split_first() {
        rest = behind;
        if first != b'%' {
            decoded.push(first);
            continue;
        }
        let (byte, behind) = escape(behind).ok_or(PathError::BadEscape)?;
        if byte == b'/' {
            return Err(PathError::HiddenSlash);
        }
        decoded.push(byte);
        rest = behind;
    }
    Ok(decoded)
}

/// The byte that the two hexadecimal digits in front stand for.
fn escape(digits: &[u8]) -> Option<(u8, &[u8])> {
    let (&[high, low], rest) = digits.split_first_chunk::<2>()?;
    let high = char::from(high).to_digit(16)?;
    let low = char::from(low).to_digit(16)?;
    let byte = high.checked_mul(16)?.checked_add(low)?;
    Some((u8::try_from(byte).ok()?, rest))
}

fn check_decoded(decoded: &[u8], options: PathOptions) -> Result<(), PathError> {
    if decoded.contains(&b'\\') {
        return Err(PathError::HiddenSlash);
    }
    // A decoded blank is data (`%20`); every other control byte is not.
    if decoded.iter().any(|&b| is_control(b) && b != b' ') {
        return Err(PathError::Control);
    }
    if !options.keep_semicolon && decoded.contains(&b';') {
        return Err(PathError::Semicolon);
    }
    if decoded.split(|&b| b == b'/').any(is_dot_segment) {
        return Err(PathError::DotSegment);
    }
    Ok(())
}

/// `.` and `..`, also with parameters or a query behind them.
fn is_dot_segment(segment: &[u8]) -> bool {
    let name = segment
        .split(|b| b";?#".contains(b))
        .next()
        .unwrap_or_default();
    name == b"." || name == b".."
}

/// Refuses what a second decoding would change into something that matters. A bare `%` is data, as in `100%25`.
fn check_decoded_again(decoded: &[u8]) -> Result<(), PathError> {
    if !decoded.contains(&b'%') {
        return Ok(());
    }
    let mut again = Vec::with_capacity(decoded.len());
    let mut rest = decoded;
    while let Some((&first, behind)) = rest.split_first() {
        rest = behind;
        match escape(behind).filter(|_| first == b'%') {
            Some((byte, behind)) if !matters(byte) => {
                again.push(byte);
                rest = behind;
            }
            Some(_) => return Err(PathError::EncodedTwice),
            None => again.push(first),
        }
    }
    if again.split(|&b| b == b'/').any(is_dot_segment) {
        return Err(PathError::EncodedTwice);
    }
    Ok(())
}

fn matters(byte: u8) -> bool {
    (is_control(byte) && byte != b' ') || b"/\\%?#;".contains(&byte)
}

/// The decoded path cut at its first `?` or `#`, and each form also without path parameters.
fn cuts(decoded: &[u8]) -> Vec<Vec<u8>> {
    if !decoded.iter().any(|b| b"?#;".contains(b)) {
        return Vec::new();
    }
    let cut_at = |mark: u8| {
        decoded
            .split(move |&b| b == mark)
            .next()
            .unwrap_or_default()
    };
    let ends = [decoded, cut_at(b'?'), cut_at(b'#')];
    let kept = ends.iter().map(|path| path.to_vec());
    let bare = ends.iter().map(|path| without_parameters(path));
    kept.chain(bare).collect()
}

fn without_parameters(path: &[u8]) -> Vec<u8> {
    let names = path
        .split(|&b| b == b'/')
        .map(|segment| segment.split(|&b| b == b';').next().unwrap_or_default());
    names.collect::<Vec<_>>().join(&b'/')
}

/// Single slashes, none at the end.
pub(super) fn normalise(path: &[u8]) -> Box<[u8]> {
    let mut normal = Vec::with_capacity(path.len());
    for segment in segments(path) {
        normal.push(b'/');
        normal.extend_from_slice(segment);
    }
    normal.into()
}

/// The segments of a path, empty ones left out.
pub(super) fn segments(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|&b| b == b'/')
        .filter(|segment| !segment.is_empty())
}

/// Lower case: Unicode's where the bytes are text, else that of ASCII.
pub(super) fn fold_case(path: &[u8]) -> Box<[u8]> {
    match std::str::from_utf8(path) {
        Ok(text) => text.to_lowercase().into_bytes().into(),
        Err(_) => path.to_ascii_lowercase().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEEP: PathOptions = PathOptions {
        keep_semicolon: true,
        ignore_case: false,
    };

    fn readings(target: &str, options: PathOptions) -> Result<Vec<String>, PathError> {
        let path = Path::parse(target.as_bytes(), options)?;
        let all = std::iter::once(path.whole()).chain(path.cuts());
        Ok(all
            .map(|reading| String::from_utf8_lossy(reading).into_owned())
            .collect())
    }

    #[test]
    fn spellings_of_one_path_have_one_reading() {
        for target in [
            "/transfer",
            "/transfer/",
            "//transfer",
            "/transfer//",
            "/tr%61nsfer",
            "/transfer?a=/../b",
            "/transfer?",
        ] {
            assert_eq!(
                readings(target, PathOptions::default()),
                Ok(vec!["/transfer".into()]),
                "{target}"
            );
        }
        assert_eq!(
            readings("/", PathOptions::default()),
            Ok(vec![String::new()])
        );
        assert_eq!(
            readings("/a%20b/100%25/caf%C3%A9", PathOptions::default()),
            Ok(vec!["/a b/100%/café".into()])
        );
        let folded = PathOptions {
            ignore_case: true,
            ..PathOptions::default()
        };
        assert_eq!(readings("/TransfÉr", folded), Ok(vec!["/transfér".into()]));
    }

    #[test]
    fn what_an_upstream_could_cut_is_read_both_ways() {
        assert_eq!(
            readings("/transfer%3fx", PathOptions::default()),
            Ok(vec!["/transfer?x".into(), "/transfer".into()])
        );
        assert_eq!(
            readings("/transfer%23x", PathOptions::default()),
            Ok(vec!["/transfer#x".into(), "/transfer".into()])
        );
        assert_eq!(
            readings("/a;v=1/b", KEEP),
            Ok(vec!["/a;v=1/b".into(), "/a/b".into()])
        );
        let mixed = readings("/a;v/b%3fc%23d", KEEP);
        let expected = [
            "/a;v/b?c#d",
            "/a/b",
            "/a/b?c",
            "/a/b?c#d",
            "/a;v/b",
            "/a;v/b?c",
        ];
        assert_eq!(mixed, Ok(expected.map(String::from).to_vec()));
    }

    #[test]
    fn hostile_paths_are_refused() {
        let long = format!("/{}", "a".repeat(8192));
        let cases = [
            ("", PathError::NotAbsolute),
            ("*", PathError::NotAbsolute),
            ("transfer", PathError::NotAbsolute),
            ("/a/../b", PathError::DotSegment),
            ("/a/./b", PathError::DotSegment),
            ("/a/..", PathError::DotSegment),
            ("/%2e%2E/b", PathError::DotSegment),
            ("/.%2e", PathError::DotSegment),
            ("/..%3fx", PathError::DotSegment),
            ("/a%2fb", PathError::HiddenSlash),
            ("/a%5cb", PathError::HiddenSlash),
            ("/a\\b", PathError::HiddenSlash),
            ("/a%00", PathError::Control),
            ("/a\tb", PathError::Control),
            ("/a%0d%0aset-cookie", PathError::Control),
            ("/a%7f", PathError::Control),
            ("/a#b", PathError::Fragment),
            ("/a?b#c", PathError::Fragment),
            ("/a%", PathError::BadEscape),
            ("/a%4", PathError::BadEscape),
            ("/a%zz", PathError::BadEscape),
            ("/%252e%252e/a", PathError::EncodedTwice),
            ("/.%252e/a", PathError::EncodedTwice),
            ("/a%252fb", PathError::EncodedTwice),
            ("/a%255cb", PathError::EncodedTwice),
            ("/a%2500", PathError::EncodedTwice),
            ("/a%253fb", PathError::EncodedTwice),
            ("/a%25252fb", PathError::EncodedTwice),
            ("/a;b", PathError::Semicolon),
            ("/a%3bb", PathError::Semicolon),
            (&long, PathError::TooLong),
        ];
        for (target, why) in cases {
            assert_eq!(
                readings(target, PathOptions::default()),
                Err(why),
                "{target}"
            );
        }
        assert_eq!(readings("/..;x/b", KEEP), Err(PathError::DotSegment));
        assert_eq!(readings("/%2e%2e;x/b", KEEP), Err(PathError::DotSegment));
        assert_eq!(readings("/a%253bb", KEEP), Err(PathError::EncodedTwice));
    }
}
