//! Upstreams, as models: every way in which a server may turn a request target into the path that it serves.

/// One server's habits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader {
    /// `//host/path` is an authority and a path, as for `new URL` and `urlsplit`.
    pub(super) sees_host: bool,
    /// What becomes of `;` before decoding.
    pub(super) raw_parameters: Parameters,
    /// How often `%xx` is decoded: at least once, since a path and its encoded spelling are one (RFC 3986 §6.2.2).
    pub(super) decodes: u8,
    /// Bytes in an overlong form are taken for the short one.
    pub(super) takes_overlong: bool,
    pub(super) cuts_question_mark: bool,
    pub(super) cuts_hash: bool,
    /// What becomes of `;` after decoding.
    pub(super) parameters: Parameters,
    pub(super) takes_backslash: bool,
    /// `.` and `..` are resolved before decoding and after it.
    pub(super) resolves_dots: [bool; 2],
    /// The whole target loses what Latin-1 takes for blanks, as in Express and in Python's `split`.
    pub(super) trims: bool,
    /// Each segment loses its blanks, as in Spring before 4.3.
    pub(super) trims_segments: bool,
}

/// What becomes of path parameters.
#[derive(Clone, Copy, Debug)]
pub(super) enum Parameters {
    Kept,
    /// Tomcat, Jetty, Spring.
    EachSegment,
    /// Python's `urlparse`.
    LastSegment,
    /// Shiro.
    AllBehind,
}

impl Reader {
    /// The path that this server serves.
    pub(super) fn read(&self, target: &[u8]) -> Vec<u8> {
        let mut path = up_to(target, b'?');
        if self.trims {
            path = trimmed(&path);
        }
        if self.sees_host && path.starts_with(b"//") {
            path = without_host(&path);
        }
        path = self.raw_parameters.apply(&path);
        path = self.with_slashes_and_dots(path, 0);
        for _ in 0..self.decodes {
            path = decoded(&path);
        }
        if self.takes_overlong {
            path = shortened(&path);
        }
        if self.cuts_question_mark {
            path = up_to(&path, b'?');
        }
        if self.cuts_hash {
            path = up_to(&path, b'#');
        }
        path = self.parameters.apply(&path);
        if self.trims_segments {
            let names = path.split(|&b| b == b'/').map(<[u8]>::trim_ascii);
            path = names.collect::<Vec<_>>().join(&b'/');
        }
        self.with_slashes_and_dots(path, 1)
    }

    fn with_slashes_and_dots(&self, mut path: Vec<u8>, at: usize) -> Vec<u8> {
        if self.takes_backslash {
            path.iter_mut()
                .filter(|b| **b == b'\\')
                .for_each(|b| *b = b'/');
        }
        if self.resolves_dots[at] {
            path = resolved(&path);
        }
        path
    }
}

impl Parameters {
    pub(super) const ALL: [Self; 4] = [
        Self::Kept,
        Self::EachSegment,
        Self::LastSegment,
        Self::AllBehind,
    ];

    fn apply(self, path: &[u8]) -> Vec<u8> {
        match self {
            Self::Kept => path.to_vec(),
            Self::EachSegment => {
                let names = path.split(|&b| b == b'/').map(|name| up_to(name, b';'));
                names.collect::<Vec<_>>().join(&b'/')
            }
            Self::LastSegment => {
                let start = path.iter().rposition(|&b| b == b'/').unwrap_or(0);
                [&path[..start], &up_to(&path[start..], b';')].concat()
            }
            Self::AllBehind => up_to(path, b';'),
        }
    }
}

/// A path as patterns see it: single slashes, none at the end.
pub(super) fn normal(path: &[u8]) -> Vec<u8> {
    let names = path.split(|&b| b == b'/').filter(|name| !name.is_empty());
    names
        .flat_map(|name| std::iter::once(&b'/').chain(name))
        .copied()
        .collect()
}

fn up_to(path: &[u8], mark: u8) -> Vec<u8> {
    path.iter().copied().take_while(|&b| b != mark).collect()
}

fn trimmed(path: &[u8]) -> Vec<u8> {
    let is_blank =
        |b: &u8| b.is_ascii_whitespace() || matches!(b, 0x0b | 0x1c..=0x1f | 0x85 | 0xa0);
    let end = path
        .iter()
        .rposition(|b| !is_blank(b))
        .map_or(0, |at| at + 1);
    path[..end].to_vec()
}

fn without_host(path: &[u8]) -> Vec<u8> {
    let behind = path.iter().skip_while(|&&b| b == b'/');
    behind.skip_while(|&&b| b != b'/').copied().collect()
}

/// A broken escape stays as it is.
fn decoded(path: &[u8]) -> Vec<u8> {
    percent_encoding::percent_decode(path).collect()
}

fn shortened(path: &[u8]) -> Vec<u8> {
    let mut short = Vec::new();
    let mut at = 0;
    while at < path.len() {
        let (byte, length) = match path[at..] {
            [lead @ (0xc0 | 0xc1), tail @ 0x80..=0xbf, ..] => ((lead & 1) << 6 | (tail & 0x3f), 2),
            [0xe0, middle @ (0x80 | 0x81), tail @ 0x80..=0xbf, ..] => {
                ((middle & 1) << 6 | (tail & 0x3f), 3)
            }
            _ => (path[at], 1),
        };
        short.push(byte);
        at += length;
    }
    short
}

fn resolved(path: &[u8]) -> Vec<u8> {
    let mut names: Vec<&[u8]> = Vec::new();
    for name in path.split(|&b| b == b'/') {
        match name {
            b"." => {}
            b".." => {
                names.pop();
            }
            name => names.push(name),
        }
    }
    names.join(&b'/')
}

#[test]
fn the_models_read_as_the_servers_do() {
    let plain = Reader {
        sees_host: false,
        raw_parameters: Parameters::Kept,
        decodes: 1,
        takes_overlong: false,
        cuts_question_mark: false,
        cuts_hash: false,
        parameters: Parameters::Kept,
        takes_backslash: false,
        resolves_dots: [false, false],
        trims: false,
        trims_segments: false,
    };
    let node = Reader {
        sees_host: true,
        ..plain
    };
    assert_eq!(node.read(b"//x/transfer?a"), b"/transfer");
    let twice = Reader {
        decodes: 2,
        ..plain
    };
    assert_eq!(twice.read(b"/%2574ransfer"), b"/transfer");
    let tomcat = Reader {
        raw_parameters: Parameters::EachSegment,
        resolves_dots: [false, true],
        ..plain
    };
    assert_eq!(tomcat.read(b"/a/..;x/transfer;v"), b"/transfer");
    let express = Reader {
        trims: true,
        ..plain
    };
    assert_eq!(express.read(b"/transfer\xa0"), b"/transfer");
    let old = Reader {
        takes_overlong: true,
        ..plain
    };
    assert_eq!(old.read(b"/a%c0%afb%e0%80%af%c1%b4"), b"/a/b/t");
    assert_eq!(normal(b"//a///b/"), b"/a/b");
}
