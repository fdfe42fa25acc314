//! Gathers the facts of one file. `tree.rs` brings them from what `syn` parses, so comments and strings say nothing; the
//! tokens of macros and attributes, which `syn` leaves as they are, are searched here for the same things.

use std::iter::Peekable;

use proc_macro2::{
    Delimiter, Ident, Spacing, Span, TokenStream, TokenTree, token_stream::IntoIter,
};
use syn::visit::Visit as _;

use super::{
    names::{Names, Segments},
    source::Mention,
};

/// What has been read so far, and where the reading stands.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) names: Names,
    /// Whether only tests are compiled with what is being read.
    pub(super) is_test: bool,
    /// The type whose `impl` is being read: what `Self` builds there.
    pub(super) implementing: Option<Segments>,
    paths: Vec<(Segments, Mention)>,
    built: Vec<(Segments, Mention)>,
    /// Each `async`, `.await` and `.elapsed`.
    pub(super) words: Vec<Mention>,
    /// The modules in files of their own that are declared for tests.
    pub(super) test_modules: Vec<String>,
    /// The lines of the inline test modules.
    pub(super) test_lines: usize,
}

impl Reader {
    /// Reads the file that stands at `module`.
    pub(super) fn read(tree: &syn::File, module: Segments) -> Self {
        let mut reader = Self {
            names: Names::new(module),
            ..Self::default()
        };
        reader.visit_file(tree);
        reader
    }

    /// Each path of two or more segments, and each path of a `use`.
    pub(super) fn paths(&self) -> Vec<Mention> {
        self.resolved(&self.paths)
    }

    /// The type, or what may be one, of each value that is built by name.
    pub(super) fn built(&self) -> Vec<Mention> {
        self.resolved(&self.built)
    }

    fn resolved(&self, mentions: &[(Segments, Mention)]) -> Vec<Mention> {
        mentions
            .iter()
            .map(|(path, mention)| Mention {
                text: self.names.resolved(path),
                ..*mention
            })
            .collect()
    }

    fn mention(&self, span: Span, is_use: bool) -> Mention {
        Mention {
            text: String::new(),
            line: span.start().line,
            is_use,
            is_test: self.is_test,
        }
    }

    pub(super) fn add_path(&mut self, path: &[String], span: Span, is_use: bool) {
        if is_use || path.len() > 1 {
            self.paths
                .push((self.names.anchored(path), self.mention(span, is_use)));
        }
    }

    pub(super) fn add_built(&mut self, path: &[String], span: Span) {
        let path = match &self.implementing {
            Some(implementing) if path == ["Self"] => implementing,
            _ => path,
        };
        self.built
            .push((self.names.anchored(path), self.mention(span, false)));
    }

    pub(super) fn add_word(&mut self, word: &str, span: Span, is_member: bool) {
        if word == "async" || is_member && ["await", "elapsed"].contains(&word) {
            self.words.push(Mention {
                text: word.to_owned(),
                ..self.mention(span, false)
            });
        }
    }

    pub(super) fn read_use(&mut self, tree: &syn::UseTree, mut prefix: Segments) {
        let (ident, name) = match tree {
            syn::UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                return self.read_use(&path.tree, prefix);
            }
            syn::UseTree::Group(group) => {
                return group
                    .items
                    .iter()
                    .for_each(|tree| self.read_use(tree, prefix.clone()));
            }
            syn::UseTree::Glob(glob) => {
                prefix.push("*".to_owned());
                return self.add_path(&prefix, glob.star_token.span, true);
            }
            syn::UseTree::Name(name) => (&name.ident, &name.ident),
            syn::UseTree::Rename(rename) => (&rename.ident, &rename.rename),
        };
        let mut name = name.to_string();
        // `a::{self}` is `a`, under its own name or another.
        match prefix.last() {
            Some(last) if ident == "self" && name == "self" => name.clone_from(last),
            Some(_) if ident == "self" => {}
            _ => prefix.push(ident.to_string()),
        }
        self.add_path(&prefix, ident.span(), true);
        self.names.learn(name, self.names.anchored(&prefix));
    }

    /// Finds in tokens what the visitor finds in a tree. `prefix` stands before a group: `a::b::{…}`.
    pub(super) fn search(&mut self, tokens: TokenStream, prefix: &[String]) {
        let mut tokens = tokens.into_iter().peekable();
        let mut before = ' ';
        while let Some(token) = tokens.next() {
            let after = match &token {
                // The second dot of a range is followed by a value, not by a member.
                TokenTree::Punct(punct) if before != '.' => punct.as_char(),
                _ => ' ',
            };
            match token {
                TokenTree::Group(group) => self.search(group.stream(), &[]),
                TokenTree::Ident(ident) if ident == "as" && !prefix.is_empty() => _ = tokens.next(),
                TokenTree::Ident(ident) => {
                    self.add_word(&ident.to_string(), ident.span(), before == '.');
                    let path = self.search_path(&ident, &mut tokens, prefix);
                    self.add_path(&path, ident.span(), false);
                    if is_construction(tokens.peek()) {
                        self.add_built(&path, ident.span());
                    }
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            before = after;
        }
    }

    /// The path that begins with `first`. A group that ends it is searched for the paths that it holds.
    fn search_path(
        &mut self,
        first: &Ident,
        tokens: &mut Peekable<IntoIter>,
        prefix: &[String],
    ) -> Segments {
        let mut path = prefix.to_vec();
        path.push(first.to_string());
        while tokens
            .next_if(|token| colon(token) == Some(Spacing::Joint))
            .is_some()
        {
            if tokens.next_if(|token| colon(token).is_some()).is_none() {
                break;
            }
            match tokens.next_if(|token| matches!(token, TokenTree::Ident(_) | TokenTree::Group(_)))
            {
                Some(TokenTree::Ident(next)) => path.push(next.to_string()),
                Some(TokenTree::Group(group)) => self.search(group.stream(), &path),
                _ => break,
            }
        }
        path
    }
}

/// How a colon stands to the next token; none if the token is another.
fn colon(token: &TokenTree) -> Option<Spacing> {
    match token {
        TokenTree::Punct(punct) if punct.as_char() == ':' => Some(punct.spacing()),
        _ => None,
    }
}

/// Whether a name with this after it builds a value; `Name { .. }` only takes one apart.
fn is_construction(token: Option<&TokenTree>) -> bool {
    let Some(TokenTree::Group(group)) = token else {
        return false;
    };
    group.delimiter() == Delimiter::Parenthesis
        || group.delimiter() == Delimiter::Brace && !group.stream().to_string().ends_with("..")
}
