#!/bin/sh
# Makes the npm package in web/package/dist. Needs Node, wasm-pack and wasm-bindgen of the pinned
# version on PATH (or in ~/.cache/spare-key/tools/bin), and the npm packages of tests/browser, which
# shrink.mjs uses.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
dist=$here/dist
PATH=$HOME/.cache/spare-key/tools/bin:$PATH
export PATH

rm -rf "$dist"
mkdir -p "$dist/wasm" "$dist/node"

pack() { # target, folder
  wasm-pack --quiet build "$root/wasm" --mode no-install --no-pack --no-opt --profile wasm-release \
    --target "$1" --out-name spare_key --out-dir "$dist/$2.made"
  mv "$dist/$2.made/spare_key.js" "$dist/$2.made/spare_key_bg.wasm" "$dist/$2/"
  rm -r "$dist/$2.made"
}
pack web wasm
pack nodejs node

cat "$root/wasm/src/types.d.ts" "$here/init.d.ts.txt" >"$dist/index.d.ts"
echo "export * from '../index.js';
export { default } from '../index.js';" >"$dist/wasm/spare_key.d.ts"
cp "$root/LICENSE" "$here/package.json" "$here/index.js" "$here/elements.js" "$here/elements.d.ts" \
  "$here/define.d.ts" "$here/README.md" "$root/web/save-prompt.png" "$dist/"
cp "$here"/node/* "$dist/node/"
cp -R "$root/web/elements" "$root/web/lib" "$root/web/styles" "$dist/"
# These serve our own pages only, and of the texts the ones that are not the elements'.
rm "$dist"/lib/*-page.js "$dist/styles/pages.css" "$dist/styles/key.svg"
mkdir "$dist/locales"
node "$here/texts.mjs" "$root/web/locales" "$dist/locales"
node "$here/shrink.mjs" "$dist/node"
node "$here/shrink.mjs" "$dist/wasm" "$dist"/*.js "$dist"/elements/*.js "$dist"/lib/*.js
