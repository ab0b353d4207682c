//! Links the module with a small stack: 64 KiB are many times what its deepest call needs, and with
//! the usual mebibyte every page would hold one, and every address in the module be longer.

fn main() {
    println!("cargo::rustc-link-arg-cdylib=-zstack-size=65536");
    println!("cargo::rerun-if-changed=build.rs");
}
