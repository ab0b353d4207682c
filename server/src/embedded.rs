//! What is part of the binary for browsers to load: the module, the elements, the styles, the texts.

/// One file.
pub(crate) struct Asset {
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    /// What it is, by its hash.
    pub(crate) tag: &'static str,
    pub(crate) bytes: &'static [u8],
    /// The same, compressed.
    pub(crate) brotli: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The file of this name.
pub(crate) fn find(name: &str) -> Option<&'static Asset> {
    ASSETS
        .binary_search_by(|asset| asset.name.cmp(name))
        .ok()
        .and_then(|at| ASSETS.get(at))
}

/// The browser module.
pub(crate) fn wasm() -> &'static [u8] {
    find("wasm/spare_key_bg.wasm").map_or(&[], |asset| asset.bytes)
}

/// The texts of a language, as JSON.
pub(crate) fn locale(language: &str) -> Option<&'static [u8]> {
    find(&format!("locales/{language}.json")).map(|asset| asset.bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binary_carries_the_module_and_its_glue() {
        assert!(wasm().starts_with(b"\0asm"));
        assert!(find("wasm/spare_key.js").is_some());
        assert!(find("locales/en.json").is_some());
        assert!(find("../Cargo.toml").is_none());
    }

    /// C-22 of the standards.
    #[test]
    fn the_module_names_no_place_in_the_source_and_no_panic() {
        let text = String::from_utf8_lossy(wasm());
        for trace in ["src/", ".rs\0", "panicked", "unwrap"] {
            assert!(!text.contains(trace), "{trace}");
        }
    }

    #[test]
    fn the_table_is_in_the_order_that_the_search_needs() {
        assert!(ASSETS.windows(2).all(|pair| pair[0].name < pair[1].name));
    }
}
