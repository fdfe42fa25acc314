/// A form on a page, as far as a person can fill it in. Reads the pages of this demo, not any HTML.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form {
    /// Where it goes.
    pub action: String,
    /// Its fields, hidden ones too, with the values they come with.
    pub fields: Vec<(String, String)>,
    /// Its buttons; the one that is clicked is sent along.
    pub buttons: Vec<(String, String)>,
}

impl Form {
    /// All forms of a page, in order.
    #[must_use]
    pub fn all(page: &str) -> Vec<Self> {
        page.split("<form")
            .skip(1)
            .filter_map(|rest| rest.split("</form>").next())
            .map(Self::read)
            .collect()
    }

    /// Whether it has a field of that name.
    #[must_use]
    pub fn has(&self, field: &str) -> bool {
        self.fields.iter().any(|(name, _)| name == field)
    }

    /// What is sent when `filled` was typed and the first button clicked.
    #[must_use]
    pub fn submission(&self, filled: &[(&str, &str)]) -> Vec<(String, String)> {
        let typed = |name: &str| {
            filled
                .iter()
                .find(|(field, _)| *field == name)
                .map(|(_, value)| (*value).to_owned())
        };
        let fields = self
            .fields
            .iter()
            .map(|(name, value)| (name.clone(), typed(name).unwrap_or_else(|| value.clone())));
        fields.chain(self.buttons.first().cloned()).collect()
    }

    fn read(text: &str) -> Self {
        let mut tags = text.split('<');
        let action = tags
            .next()
            .and_then(|head| attribute(head, "action"))
            .unwrap_or_default();
        let mut form = Self {
            action,
            ..Self::default()
        };
        for tag in tags {
            let Some(name) = attribute(tag, "name") else {
                continue;
            };
            let pair = (name, attribute(tag, "value").unwrap_or_default());
            if tag.starts_with("input") {
                form.fields.push(pair);
            } else if tag.starts_with("button") {
                form.buttons.push(pair);
            }
        }
        form
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    let (value, _) = rest.split_once('"')?;
    Some(
        value
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&amp;", "&"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<p>Hi</p><form action="/go?a=1&amp;b=2" method="post"><input type="hidden" name="csrf" value="x&amp;y">
        <label for="c">Code</label><input id="c" name="code" value=""><button type="submit" name="method" value="totp">Go</button></form>
        <form action="/other"><input name="q"></form>"#;

    #[test]
    fn each_form_is_found_with_its_fields_and_buttons() {
        let forms = Form::all(PAGE);
        assert_eq!(forms.len(), 2);
        assert_eq!(forms[0].action, "/go?a=1&b=2");
        assert!(forms[0].has("code") && !forms[0].has("q") && forms[1].has("q"));
    }

    #[test]
    fn a_submission_holds_hidden_fields_typed_ones_and_the_button() {
        let sent = Form::all(PAGE)[0].submission(&[("code", "123456")]);
        let sent: Vec<_> = sent
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(
            sent,
            [("csrf", "x&y"), ("code", "123456"), ("method", "totp")]
        );
    }
}
