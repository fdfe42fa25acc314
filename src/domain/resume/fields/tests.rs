use proptest::prelude::*;
use url::form_urlencoded::parse;

use super::*;

const URLENCODED: &[u8] = b"application/x-www-form-urlencoded";
const MULTIPART: &[u8] = b"multipart/form-data; boundary=----WebKitFormBoundaryA1b2";

/// What the page's script reads out of the fields, as `URLSearchParams` does.
fn read(form: &Form) -> Vec<(String, String)> {
    parse(form.fields().as_bytes()).into_owned().collect()
}

/// What a browser sends for these fields.
fn urlencoded(fields: &[(String, String)]) -> String {
    Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// The same as `multipart/form-data`.
fn multipart(fields: &[(String, String)]) -> String {
    let part = |(name, value): &(String, String)| {
        format!(
            "------WebKitFormBoundaryA1b2\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        )
    };
    let parts: String = fields.iter().map(part).collect();
    format!("{parts}------WebKitFormBoundaryA1b2--\r\n")
}

/// Browsers end lines so before they send anything.
fn with_line_ends(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.replace('\n', "\r\n")
}

fn pairs(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    let pair = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
    fields.iter().map(pair).collect()
}

#[test]
fn a_transfer_survives_whole() {
    let fields = pairs(&[
        ("recipient", "Bäckerei & Söhne <b>"),
        ("amount", "250.00"),
        ("note", "Brot\r\nund +Wein%0A"),
        ("tag", "b"),
        ("tag", ""),
        ("tag", "a"),
        ("", "without a name"),
        (
            "</script><script>alert(1)</script>",
            "\"'`<!-- \u{2028}\u{0}\u{feff}",
        ),
    ]);
    let form = Form::read(URLENCODED, urlencoded(&fields).as_bytes()).unwrap();
    assert_eq!(form.enctype(), Enctype::UrlEncoded);
    assert_eq!(read(&form), fields);
    let fields = &fields[..7];
    let form = Form::read(MULTIPART, multipart(fields).as_bytes()).unwrap();
    assert_eq!(form.enctype(), Enctype::Multipart);
    assert_eq!(read(&form), fields);
    assert!(!format!("{form:?}").contains("Brot"));
}

#[test]
fn a_form_without_fields_is_one() {
    let form = Form::read(MULTIPART, b"------WebKitFormBoundaryA1b2--\r\n").unwrap();
    assert_eq!(read(&form), vec![]);
}

#[test]
fn what_a_browser_would_send_differently_is_not_kept() {
    for body in [
        &b"a=%ff"[..],
        b"a=\xff",
        b"a=%0a",
        b"a=%0d",
        b"a=%0d%0d%0a",
        b"%0a=1",
        b"a=%",
        b"a=%zz",
    ] {
        let read = Form::read(URLENCODED, body);
        assert_eq!(read, Err(NotKept::NotRepeatable), "{body:?}");
    }
}

#[test]
fn a_type_that_no_plain_form_has_is_not_kept() {
    for content_type in [
        "",
        "text/plain",
        "application/json",
        "application/x-www-form-urlencoded; charset=latin1",
        "application/x-www-form-urlencoded, text/plain",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\"a b\"",
        "multipart/form-data; boundary=a; charset=utf-8",
        "multipart/mixed; boundary=a",
    ] {
        let read = Form::read(content_type.as_bytes(), b"a=1");
        assert_eq!(read, Err(NotKept::OtherType), "{content_type}");
    }
    assert!(Form::read(b"Application/X-WWW-Form-Urlencoded ", b"a=1").is_ok());
}

#[test]
fn files_are_not_kept() {
    let part = "Content-Disposition: form-data; name=\"f\"; filename=\"\"\r\nContent-Type: application/octet-stream";
    let body = format!(
        "------WebKitFormBoundaryA1b2\r\n{part}\r\n\r\n\r\n------WebKitFormBoundaryA1b2--\r\n"
    );
    assert_eq!(Form::read(MULTIPART, body.as_bytes()), Err(NotKept::Files));
}

#[test]
fn a_part_that_no_browser_writes_is_not_kept() {
    let framed = |part: &str| {
        format!("------WebKitFormBoundaryA1b2\r\n{part}\r\n------WebKitFormBoundaryA1b2--\r\n")
    };
    let sound = "Content-Disposition: form-data; name=\"a\"\r\n\r\n1";
    assert!(Form::read(MULTIPART, framed(sound).as_bytes()).is_ok());
    let cases = [
        framed("Content-Disposition: form-data; name=\"a%22\"\r\n\r\n1"),
        framed("Content-Disposition: form-data; name=\"a\"\r\nX: y\r\n\r\n1"),
        framed("Content-Disposition: form-data; name=\"a\"; x=\"y\"\r\n\r\n1"),
        framed("Content-Disposition: form-data; name=a\r\n\r\n1"),
        framed("Content-Disposition: form-data\r\n\r\n1"),
        framed("Content-Disposition: form-data; name=\"a\"\r\n1"),
        framed(&sound.replace('1', "a\nb")),
        format!("x{}", framed(sound)),
        format!("{}x", framed(sound)),
        framed(sound).replace("--\r\n", ""),
        String::from("a"),
    ];
    for body in cases {
        let read = Form::read(MULTIPART, body.as_bytes());
        assert_eq!(read, Err(NotKept::NotRepeatable), "{body}");
    }
}

#[test]
fn what_is_too_much_is_not_kept() {
    let many = |count: usize| vec!["a=1"; count].join("&");
    assert!(Form::read(URLENCODED, many(MAX_FIELDS).as_bytes()).is_ok());
    let read = Form::read(URLENCODED, many(MAX_FIELDS + 1).as_bytes());
    assert_eq!(read, Err(NotKept::TooManyFields));
    let long = |bytes: usize| format!("a={}", "x".repeat(bytes - 2));
    assert!(Form::read(URLENCODED, long(MAX_BODY_BYTES).as_bytes()).is_ok());
    let read = Form::read(URLENCODED, long(MAX_BODY_BYTES + 1).as_bytes());
    assert_eq!(read, Err(NotKept::TooLarge));
}

proptest! {
    #[test]
    fn fields_survive(fields in prop::collection::vec((any::<String>(), any::<String>()), 0..20)) {
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| (with_line_ends(name), with_line_ends(value)))
            .collect();
        let form = Form::read(URLENCODED, urlencoded(&fields).as_bytes()).unwrap();
        prop_assert_eq!(read(&form), fields);
    }

    #[test]
    fn fields_of_many_parts_survive(fields in prop::collection::vec(("[^\"%\r\n]{0,9}", any::<String>()), 0..20)) {
        let fields: Vec<_> = fields
            .into_iter()
            .map(|(name, value)| (name, with_line_ends(&value)))
            .collect();
        let form = Form::read(MULTIPART, multipart(&fields).as_bytes()).unwrap();
        prop_assert_eq!(read(&form), fields);
    }

    #[test]
    fn any_bytes_come_out_as_letters_digits_and_a_few_signs(
        content_type in prop::sample::select(vec![URLENCODED, MULTIPART]),
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        if let Ok(form) = Form::read(content_type, &body) {
            let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"*-._+%&=".contains(&b);
            prop_assert!(form.fields().bytes().all(is_plain), "{}", form.fields());
        }
    }
}
