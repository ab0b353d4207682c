//! Builds the browser module into the binary, so that `cargo run` needs Rust and nothing else.
//!
//! The wasm crate is compiled for `wasm32-unknown-unknown` in a target folder of its own (the outer
//! build holds the lock of the common one), its glue is made by the library form of wasm-bindgen,
//! pinned to the version of the macro, and every file that the browser loads is listed in a table
//! that `embedded.rs` includes: as it is, and compressed once and for all (RFC 7932).

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};
use wasm_bindgen_cli_support::Bindgen;

const TARGET: &str = "wasm32-unknown-unknown";
const PROFILE: &str = "wasm-release";

/// Folders of `web/` that browsers load from.
const SERVED: [&str; 4] = ["elements", "lib", "styles", "locales"];

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() {
    if let Err(error) = build() {
        for line in error.to_string().lines() {
            println!("cargo::error={line}");
        }
        std::process::exit(1);
    }
}

fn build() -> Outcome<()> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?)
        .join("..")
        .canonicalize()?;
    for watched in [
        "core/src",
        "core/Cargo.toml",
        "core/README.md",
        "wasm/build.rs",
        "wasm/src",
        "wasm/Cargo.toml",
        "web/elements",
        "web/lib",
        "web/styles",
        "web/locales",
        "web/pages",
        "Cargo.lock",
        "Cargo.toml",
    ] {
        println!("cargo::rerun-if-changed={}", root.join(watched).display());
    }
    ensure_target()?;
    let module = compile(&root, &out)?;
    let glue = out.join("glue");
    Bindgen::new()
        .input_path(module)
        .web(true)?
        .typescript(false)
        .omit_default_module_path(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .out_name("spare_key")
        .generate(&glue)?;
    let module = glue.join("spare_key_bg.wasm");
    fs::write(&module, without_places(fs::read(&module)?))?;
    write_table(&root, &glue, &out)
}

/// The target belongs to the toolchain; where it is missing it is added, or the error says how.
fn ensure_target() -> Outcome<()> {
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let found = Command::new(rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()?;
    let folder = String::from_utf8(found.stdout)?;
    if found.status.success() && Path::new(folder.trim()).is_dir() {
        return Ok(());
    }
    let added = Command::new("rustup")
        .args(["target", "add", TARGET])
        .status();
    if added.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    Err(format!(
        "the browser module needs the target {TARGET}; add it with: rustup target add {TARGET}"
    )
    .into())
}

fn compile(root: &Path, out: &Path) -> Outcome<PathBuf> {
    let target = out.join("wasm-target");
    let mut cargo = Command::new(env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    cargo
        .current_dir(root)
        .args(["build", "-p", "spare-key-wasm", "--lib"]);
    cargo
        .args(["--target", TARGET, "--profile", PROFILE])
        .arg("--target-dir")
        .arg(&target);
    // What the outer build was told about its own target does not hold for this one.
    for told in [
        "CARGO_ENCODED_RUSTFLAGS",
        "RUSTFLAGS",
        "RUSTC_WORKSPACE_WRAPPER",
        "CARGO_TARGET_DIR",
        "CARGO_BUILD_TARGET",
    ] {
        cargo.env_remove(told);
    }
    let built = cargo.output()?;
    if !built.status.success() {
        return Err(format!(
            "the browser module did not compile:\n{}",
            String::from_utf8_lossy(&built.stderr)
        )
        .into());
    }
    Ok(target
        .join(TARGET)
        .join(PROFILE)
        .join("spare_key_wasm.wasm"))
}

/// The module without the places in the source that its panics name: they are told nobody, and say
/// on whose machine it was built. Each is a path, to the zero that ends it.
fn without_places(mut module: Vec<u8>) -> Vec<u8> {
    let texts = module.split_mut(|byte| *byte == 0);
    for text in texts.filter(|text| text.ends_with(b".rs")) {
        let before = text.iter().rposition(|byte| !byte.is_ascii_graphic());
        let path = text.iter_mut().skip(before.map_or(0, |before| before + 1));
        path.skip_while(|byte| **byte != b'/')
            .for_each(|byte| *byte = 0);
    }
    module
}

fn write_table(root: &Path, glue: &Path, out: &Path) -> Outcome<()> {
    let mut files = Vec::new();
    for folder in SERVED {
        collect(&root.join("web").join(folder), folder, &mut files)?;
    }
    for name in ["spare_key.js", "spare_key_bg.wasm"] {
        files.push((format!("wasm/{name}"), glue.join(name)));
    }
    files.sort();
    let packed = out.join("packed");
    fs::create_dir_all(&packed)?;
    let mut all = Sha256::new();
    let mut table = String::from("static ASSETS: &[Asset] = &[\n");
    for (at, (name, path)) in files.into_iter().enumerate() {
        let bytes = fs::read(&path)?;
        let hash = Sha256::digest(&bytes);
        all.update(name.as_bytes());
        all.update(hash);
        let brotli = packed.join(at.to_string());
        fs::write(&brotli, compressed(&bytes)?)?;
        writeln!(
            table,
            "    Asset {{ name: {name:?}, kind: {:?}, tag: {:?}, bytes: include_bytes!({path:?}), \
             brotli: include_bytes!({brotli:?}) }},",
            kind(&name)?,
            hexadecimal(&hash)
        )?;
    }
    let all = hexadecimal(&all.finalize());
    write!(table, "];\n\npub(crate) const VERSION: &str = {all:?};\n")?;
    fs::write(out.join("assets.rs"), table)?;
    Ok(())
}

/// So much of a hash that two files never share it.
fn hexadecimal(hash: &[u8]) -> String {
    hash.iter().take(12).fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _written = write!(text, "{byte:02x}");
        text
    })
}

fn compressed(mut bytes: &[u8]) -> Outcome<Vec<u8>> {
    let mut packed = Vec::new();
    let best = brotli::enc::BrotliEncoderParams::default();
    brotli::BrotliCompress(&mut bytes, &mut packed, &best)?;
    Ok(packed)
}

fn collect(folder: &Path, name: &str, files: &mut Vec<(String, PathBuf)>) -> Outcome<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{name}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &name, files)?;
        } else if kind(&name).is_ok() {
            files.push((name, entry.path()));
        }
    }
    Ok(())
}

fn kind(name: &str) -> Outcome<&'static str> {
    Ok(match name.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("wasm") => "application/wasm",
        _ => return Err(format!("{name}: browsers are not told what it is").into()),
    })
}
