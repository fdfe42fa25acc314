use std::path::{Path, PathBuf};

use super::StageOptions;
use super::error::StageError;
use super::ports::{Choice, Ports};

/// The demo's own folder.
const DEMO: &str = env!("CARGO_MANIFEST_DIR");

/// The paths of Stepgate's config and the proxy's: the project's own files, or copies with other ports in `folder`.
pub(super) fn configs(
    options: &StageOptions,
    ports: &Ports,
    folder: &Path,
) -> Result<[String; 2], StageError> {
    let stepgate = Path::new(DEMO).join("stepgate.yaml");
    let proxy = project().join(options.proxy.file());
    let is_as_it_stands =
        options.encode_raw_headers && options.envoy_edits.is_empty() && options.config.is_none();
    if options.ports == Choice::Demo && is_as_it_stands {
        return Ok([stepgate, proxy].map(|path| path.display().to_string()));
    }
    let here = |text: &str| renumber(text, &ports.instead_of_demo());
    let config = |text: &str| Ok(here(options.config.as_deref().unwrap_or(text)));
    let proxy_config = |text: &str| edited(text, options).map(|text| here(&text));
    Ok([
        copy(&stepgate, folder, config)?,
        copy(&proxy, folder, proxy_config)?,
    ])
}

/// The proxy's file with what a stage wants otherwise.
fn edited(text: &str, options: &StageOptions) -> Result<String, StageError> {
    let raw_headers = format!("encode_raw_headers: {}", options.encode_raw_headers);
    let text = text.replace("encode_raw_headers: true", &raw_headers);
    options
        .envoy_edits
        .iter()
        .try_fold(text, |text, (old, new)| {
            if text.contains(old) {
                Ok(text.replace(old, new))
            } else {
                Err(StageError::Edit(old.clone()))
            }
        })
}

/// The folder above it.
fn project() -> &'static Path {
    Path::new(DEMO).parent().unwrap_or_else(|| Path::new("."))
}

fn copy(
    path: &Path,
    folder: &Path,
    adapt: impl Fn(&str) -> Result<String, StageError>,
) -> Result<String, StageError> {
    let fault = |source| StageError::File {
        path: path.to_owned(),
        source,
    };
    let text = std::fs::read_to_string(path).map_err(fault)?;
    let target = folder.join(path.file_name().unwrap_or_default());
    std::fs::write(&target, adapt(&text)?).map_err(fault)?;
    Ok(target.display().to_string())
}

/// Replaces whole numbers, in one pass, so that a new number is never taken for an old one.
fn renumber(text: &str, table: &[(u16, u16)]) -> String {
    let mut renumbered = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(start);
        let length = from
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(from.len());
        let (number, after) = from.split_at(length);
        let new = number
            .parse()
            .ok()
            .and_then(|number: u16| table.iter().find(|(old, _)| *old == number));
        renumbered.push_str(before);
        renumbered.push_str(&new.map_or_else(|| number.to_owned(), |(_, new)| new.to_string()));
        rest = after;
    }
    renumbered.push_str(rest);
    renumbered
}

/// `STEPGATE_BIN`, else beside the running program, or, for a test, one folder up.
pub(super) fn stepgate(named: Option<&Path>) -> Result<PathBuf, StageError> {
    if let Some(named) = named
        .map(Path::to_owned)
        .or_else(|| std::env::var_os("STEPGATE_BIN").map(PathBuf::from))
    {
        return if named.is_file() {
            Ok(named)
        } else {
            Err(StageError::NoStepgate(named))
        };
    }
    let here = std::env::current_exe().unwrap_or_default();
    let name = format!("stepgate{}", std::env::consts::EXE_SUFFIX);
    let mut places = here
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(&name));
    places
        .find(|path| path.is_file())
        .ok_or_else(|| StageError::NoStepgate(here.with_file_name(name)))
}

/// What `ENVOY_BIN` and the like name, else the one on `PATH`, else what `make` left under `target/tools`.
pub(super) fn proxy(options: &StageOptions) -> Result<PathBuf, StageError> {
    let program = options.proxy.program();
    let variable = format!("{}_BIN", program.to_uppercase());
    let named = options
        .program
        .clone()
        .or_else(|| std::env::var_os(variable).map(PathBuf::from));
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian keeps nginx where only root looks.
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    let ours = project().join("target/tools/bin");
    let places: Vec<_> = match named {
        Some(named) => vec![named],
        None => folders
            .chain([ours])
            .map(|folder| folder.join(program))
            .collect(),
    };
    places
        .into_iter()
        .find(|path| path.is_file())
        .ok_or(StageError::NoProxy(options.proxy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_numbers_change_and_only_once() {
        let text = "port_value: 8080 # not 18080\n\"a:8080\" 127.0.0.1:9191, 2s";
        let new = renumber(text, &[(8080, 9191), (9191, 40001)]);
        assert_eq!(
            new,
            "port_value: 9191 # not 18080\n\"a:9191\" 127.0.0.1:40001, 2s"
        );
    }

    #[test]
    fn the_projects_files_name_every_port_of_the_demo() {
        let read = |path: &str| std::fs::read_to_string(Path::new(DEMO).join(path)).unwrap();
        let files = read("stepgate.yaml") + &read("../envoy/envoy.yaml");
        let Ports {
            envoy,
            stepgate,
            stepgate_http,
            stepgate_admin,
            kratos_public,
            kratos_admin: _,
            bank,
            pages,
            console,
            staff_pages,
            mail,
            iam_public,
            iam_admin: _,
        } = Ports::DEMO;
        let doors = [
            envoy,
            stepgate,
            stepgate_http,
            stepgate_admin,
            kratos_public,
            iam_public,
        ];
        let apps = [bank, pages, console, staff_pages, mail];
        for port in doors.into_iter().chain(apps) {
            assert!(files.contains(&port.to_string()), "{port}");
        }
    }
}
