//! The reference library in C, built here for each kind of processor that this one is, and run as a
//! program of its own: three builds of one library don't fit into one program.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// The package whose sources are the reference library's, as published.
const PACKAGE: &str = "argon2-sys";

/// What of them is needed.
const SOURCES: [&str; 6] = [
    "argon2.c",
    "core.c",
    "encoding.c",
    "opt.c",
    "thread.c",
    "blake2/blake2b.c",
];

/// Which builds this processor can run, with the compiler's flag for each.
fn builds() -> Vec<(&'static str, Option<&'static str>)> {
    #[cfg(target_arch = "x86_64")]
    {
        let newer = [
            (is_x86_feature_detected!("avx2"), "AVX2", "-mavx2"),
            (is_x86_feature_detected!("avx512f"), "AVX-512", "-mavx512f"),
        ];
        let newer = newer.into_iter().filter(|(here, ..)| *here);
        let newer = newer.map(|(_, name, flag)| (name, Some(flag)));
        [("SSE2", None)].into_iter().chain(newer).collect()
    }
    #[cfg(not(target_arch = "x86_64"))]
    Vec::new()
}

/// A build that waits to be told how often.
pub(crate) struct Reference {
    pub(crate) name: String,
    _child: Reaped,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

/// Ends with its input; waited for, so that nothing is left behind.
struct Reaped(Child);

impl Drop for Reaped {
    fn drop(&mut self) {
        // There is nobody left to tell.
        let _ended = self.0.kill();
        let _waited = self.0.wait();
    }
}

impl Reference {
    /// Every build, as it is and as Spare Key would have it; or why there is none.
    pub(crate) fn all(folder: &TempDir) -> Result<Vec<Self>, String> {
        let sources = sources()?;
        let mut all = Vec::new();
        for (name, flag) in builds() {
            let program = build(&sources, folder.path(), name, flag)?;
            all.push(Self::start(format!("reference C, {name}"), &program, None)?);
            let name = format!("reference C, {name}, reused, huge pages");
            all.push(Self::start(name, &program, Some("reused"))?);
        }
        Ok(all)
    }

    fn start(name: String, program: &Path, argument: Option<&str>) -> Result<Self, String> {
        let mut child = Command::new(program)
            .args(argument)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let (to, from) = (child.stdin.take(), child.stdout.take());
        Ok(Self {
            name,
            _child: Reaped(child),
            to: to.ok_or("no input")?,
            from: BufReader::new(from.ok_or("no output")?),
        })
    }

    /// So many hashes: processor time, and the digest in hexadecimal.
    pub(crate) fn run(&mut self, times: u64) -> (Duration, String) {
        writeln!(self.to, "{times}").expect("the program listens");
        let mut line = String::new();
        self.from.read_line(&mut line).expect("the program answers");
        let (time, digest) = line.trim().split_once(' ').expect("two words");
        let nanoseconds = time.parse().expect("nanoseconds");
        (Duration::from_nanos(nanoseconds), digest.to_owned())
    }
}

/// Where Cargo keeps the package.
fn sources() -> Result<PathBuf, String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let told = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    let told: Value =
        serde_json::from_slice(&told.stdout).map_err(|error| format!("cargo metadata: {error}"))?;
    let packages = told["packages"].as_array().into_iter().flatten();
    let manifest = packages
        .filter(|package| package["name"] == PACKAGE)
        .find_map(|package| package["manifest_path"].as_str())
        .ok_or("cargo has no sources of it")?;
    let folder = Path::new(manifest).parent().ok_or("no folder")?;
    Ok(folder.join("argon2"))
}

fn build(sources: &Path, folder: &Path, name: &str, flag: Option<&str>) -> Result<PathBuf, String> {
    let program = folder.join(name);
    let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/hash/reference.c");
    let compiler = env::var_os("CC").unwrap_or_else(|| "cc".into());
    let told = Command::new(compiler)
        .args(["-O3", "-DARGON2_NO_THREADS"])
        .args(flag)
        .arg("-I")
        .arg(sources.join("include"))
        .arg("-I")
        .arg(sources.join("src"))
        .arg(driver)
        .args(SOURCES.map(|source| sources.join("src").join(source)))
        .arg("-o")
        .arg(&program)
        .output()
        .map_err(|error| format!("the C compiler: {error}"))?;
    if told.status.success() {
        Ok(program)
    } else {
        Err(String::from_utf8_lossy(&told.stderr).into_owned())
    }
}
