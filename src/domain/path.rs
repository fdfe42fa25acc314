//! The path a request names, decoded once, and every way an upstream could read it.

mod readings;

use std::collections::BTreeSet;

/// Longest path in bytes, before the `?`.
const MAX_PATH_BYTES: usize = 8 * 1024;

/// A path as rules match it.
///
/// A *reading* is percent-decoded, has single slashes and no slash at its end: `/users/ann`, and the empty string for `/`.
/// No segment of it is `.` or `..`, and no byte of it is a control byte or a backslash.
///
/// Most paths have one reading. Where upstreams differ (at a decoded `?` or `#`, a kept `;`, an escape that is left, a blank
/// at a segment's edge, `//` in front), each way to read it is one too, and the request must meet what all of them demand.
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
    /// A raw byte that is not UTF-8. Envoy shows it as `!`, and upstreams drop it, trim it or take it for Latin-1.
    #[error("the path holds a raw byte that is not UTF-8")]
    NotText,
    /// A character in more bytes than it needs, which some decoders take for the short form: `%c0%af` for a slash.
    #[error("the path holds an overlong character")]
    Overlong,
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
        let again = decode_again(&decoded)?;
        let whole = finish(&decoded, options);
        let cuts = if readings::may_differ(&decoded) {
            let mut bases = raw_cuts(raw)?;
            bases.extend([decoded].into_iter().chain(again));
            let all = readings::all(bases);
            let all: BTreeSet<_> = all.iter().map(|path| finish(path, options)).collect();
            all.into_iter().filter(|path| *path != whole).collect()
        } else {
            Vec::new()
        };
        Ok(Self { whole, cuts })
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
    } else if std::str::from_utf8(raw).is_err() {
        Err(PathError::NotText)
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
    if is_overlong(decoded) {
        return Err(PathError::Overlong);
    }
    Ok(())
}

/// `.` and `..`, also with parameters or a query behind them, or blanks around.
fn is_dot_segment(segment: &[u8]) -> bool {
    let name = segment
        .split(|b| b";?#".contains(b))
        .next()
        .unwrap_or_default()
        .trim_ascii();
    name == b"." || name == b".."
}

/// Whether a UTF-8 lead byte is followed by one that a shorter form would have done without.
fn is_overlong(path: &[u8]) -> bool {
    let is_pair = |pair: &[u8]| {
        matches!(
            pair,
            [0xc0 | 0xc1, 0x80..=0xbf] | [0xe0, 0x80..=0x9f] | [0xf0, 0x80..=0x8f]
        )
    };
    path.windows(2).any(is_pair)
}

/// The path decoded a second time, if that changes it. Refused where it changes something that matters, or could be
/// decoded even further. A bare `%` is data, as in `100%25`.
fn decode_again(decoded: &[u8]) -> Result<Option<Vec<u8>>, PathError> {
    if !decoded.contains(&b'%') {
        return Ok(None);
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
    let is_dotted = again.split(|&b| b == b'/').any(is_dot_segment);
    if is_dotted || is_overlong(&again) || (again != decoded && has_escape(&again)) {
        return Err(PathError::EncodedTwice);
    }
    Ok(Some(again).filter(|again| again != decoded))
}

fn has_escape(path: &[u8]) -> bool {
    path.windows(3)
        .any(|three| three.first() == Some(&b'%') && three.get(1..).and_then(escape).is_some())
}

fn matters(byte: u8) -> bool {
    (is_control(byte) && byte != b' ') || b"/\\%?#;".contains(&byte)
}

/// The path for upstreams that drop raw path parameters before they decode, so that `%3b` is data to them.
fn raw_cuts(raw: &[u8]) -> Result<BTreeSet<Vec<u8>>, PathError> {
    let mut bases = BTreeSet::new();
    for bare in readings::without_any_parameters(raw) {
        let once = decode(&bare)?;
        bases.extend(decode_again(&once)?);
        bases.insert(once);
    }
    Ok(bases)
}

fn finish(path: &[u8], options: PathOptions) -> Box<[u8]> {
    let path = normalise(path);
    if options.ignore_case {
        fold_case(&path)
    } else {
        path
    }
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

/// One spelling for all that differ in case only, character by character, as Unicode's simple case folding has it: `K`,
/// `k` and the Kelvin sign are one letter, and so are the two sigmas and every `i`. Bytes that are no text stay.
pub(super) fn fold_case(path: &[u8]) -> Box<[u8]> {
    let mut folded = Vec::with_capacity(path.len());
    for chunk in path.utf8_chunks() {
        let text: String = chunk.valid().chars().map(fold).collect();
        folded.extend_from_slice(text.as_bytes());
        folded.extend_from_slice(chunk.invalid());
    }
    folded.into()
}

fn fold(c: char) -> char {
    let upper = only(c.to_uppercase()).unwrap_or(c);
    match upper {
        'İ' => 'i',
        upper => only(upper.to_lowercase()).unwrap_or(upper),
    }
}

fn only(mut chars: impl Iterator<Item = char>) -> Option<char> {
    chars.next().filter(|_| chars.next().is_none())
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
    fn what_differs_in_case_only_is_one_path() {
        let folded = |text: &str| fold_case(text.as_bytes());
        for (one, other) in [
            ("transfer", "TRAN\u{17f}FER"),
            ("kiosk", "\u{212a}\u{131}osK"),
            ("admin", "ADM\u{130}N"),
            ("οδος", "ΟΔΟΣ"),
            ("οδοσ", "ΟΔΟΣ"),
        ] {
            assert_eq!(folded(one), folded(other), "{one} {other}");
        }
        assert_eq!(&*fold_case(b"/\xffA\xc3\x89"), b"/\xffa\xc3\xa9");
    }

    #[test]
    fn what_upstreams_read_differently_is_read_every_way() {
        let plain = |target| readings(target, PathOptions::default()).unwrap();
        assert_eq!(plain("/%2574ransfer"), ["/%74ransfer", "/transfer"]);
        assert_eq!(plain("/a%2520b"), ["/a%20b", "/a b"]);
        assert_eq!(plain("//transfer"), ["/transfer", ""]);
        assert_eq!(plain("//x/transfer"), ["/x/transfer", "/transfer"]);
        assert_eq!(plain("///x//transfer/a")[1], "/transfer/a");
        assert_eq!(plain("/transfer%20"), ["/transfer ", "/transfer"]);
        assert_eq!(plain("//x/%2574ransfer%3fa").len(), 8);
        let kept = |target, reading: &str| {
            let all = readings(target, KEEP).unwrap();
            assert!(all.iter().any(|one| one == reading), "{target}: {all:?}");
        };
        kept("/transfer;x/y", "/transfer");
        kept("/a;v/b;w", "/a;v/b");
        kept("/a;v/b%3bw", "/a/b;w");
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
            Ok(vec!["/a;v=1/b".into(), "/a".into(), "/a/b".into()])
        );
        let mixed = readings("/a;v/b%3fc%23d", KEEP).unwrap();
        for expected in [
            "/a;v/b?c#d",
            "/a/b",
            "/a/b?c",
            "/a/b?c#d",
            "/a;v/b",
            "/a;v/b?c",
            "/a",
        ] {
            assert!(mixed.iter().any(|one| one == expected), "{expected}");
        }
        assert_eq!(mixed.len(), 7);
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
            ("/a%2525%37%34", PathError::EncodedTwice),
            ("/%25%2532fa", PathError::EncodedTwice),
            ("/a%25c0%25af", PathError::EncodedTwice),
            ("/a/..%20/b", PathError::DotSegment),
            ("/a%c0%afb", PathError::Overlong),
            ("/%c0%ae%c0%ae/b", PathError::Overlong),
            ("/a%e0%80%afb", PathError::Overlong),
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
        let raw = Path::parse(b"/transfer\xa0", PathOptions::default());
        assert_eq!(raw, Err(PathError::NotText));
        assert_eq!(readings("/..;x/b", KEEP), Err(PathError::DotSegment));
        assert_eq!(readings("/%2e%2e;x/b", KEEP), Err(PathError::DotSegment));
        assert_eq!(readings("/a%253bb", KEEP), Err(PathError::EncodedTwice));
    }
}
