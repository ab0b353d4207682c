#!/bin/sh
# Makes the npm package in web/package/dist. Needs wasm-pack and wasm-bindgen of the pinned version
# on PATH (or in ~/.cache/spare-key/tools/bin); runs wasm-opt of the npm package `binaryen` where
# tests/browser has it installed.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
dist=$here/dist
PATH=$root/tests/browser/node_modules/.bin:$HOME/.cache/spare-key/tools/bin:$PATH
export PATH

rm -rf "$dist"
mkdir -p "$dist/wasm" "$dist/node"

pack() { # target, folder
  wasm-pack --quiet build "$root/wasm" --mode no-install --no-pack --no-opt --profile wasm-release \
    --target "$1" --out-name spare_key --out-dir "$dist/$2.made"
  mv "$dist/$2.made/spare_key.js" "$dist/$2.made/spare_key_bg.wasm" "$dist/$2/"
  rm -r "$dist/$2.made"
  if command -v wasm-opt >/dev/null; then
    # It reads which features it may use from the module: the profile leaves that section in.
    wasm-opt -Oz --strip-debug --strip-producers \
      "$dist/$2/spare_key_bg.wasm" -o "$dist/$2/spare_key_bg.wasm"
  fi
}
pack web wasm
pack nodejs node

cat "$root/wasm/src/types.d.ts" "$here/init.d.ts.txt" >"$dist/index.d.ts"
echo "export * from '../index.js';
export { default } from '../index.js';" >"$dist/wasm/spare_key.d.ts"
cp "$here/package.json" "$here/index.js" "$here/elements.js" "$here/elements.d.ts" "$here/README.md" "$dist/"
cp "$here"/node/* "$dist/node/"
cp -R "$here/../elements" "$here/../lib" "$here/../locales" "$here/../styles" "$dist/"
# These serve our own pages only.
rm "$dist/lib/enrollment-page.js" "$dist/lib/challenge-page.js" "$dist/styles/pages.css" "$dist/styles/key.svg"
