/**
 * What the browser side weighs, beside imask and cleave-zen in the same run: `node budget.mjs`.
 *
 * Weights are bytes after brotli -q 11 and gzip -9. "bundled" is what Vite makes of a page that uses
 * it, module included; "one by one" is the files of the package as a plain page loads them.
 */
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'vite';
import { launch } from './chromium.mjs';
import { host, installed } from './packed.mjs';

const here = dirname(fileURLToPath(import.meta.url));

export const brotli = (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }).length;
const gzip = (bytes) => gzipSync(bytes, { level: 9 }).length;

function weigh(name, files) {
  const sum = (weight) => files.reduce((total, file) => total + weight(readFileSync(file)), 0);
  return { name, files: files.length, raw: sum((bytes) => bytes.length), gzip: sum(gzip), brotli: sum(brotli) };
}

async function bundled(folder, name, script) {
  const root = join(folder, name.replaceAll(/\W+/g, '-'));
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, 'index.html'), '<!doctype html><title>x</title><script type="module" src="/main.js"></script>');
  writeFileSync(join(root, 'main.js'), script);
  await build({
    root, logLevel: 'error', configFile: false, build: { outDir: join(root, 'dist'), modulePreload: false },
    // The packages of this folder, for a page elsewhere.
    resolve: { alias: { imask: packageFolder('imask'), 'cleave-zen': packageFolder('cleave-zen') } },
  });
  const assets = join(root, 'dist/assets');
  return weigh(`${name}, bundled`, readdirSync(assets).filter((file) => /\.(js|wasm)$/.test(file)).map((file) => join(assets, file)));
}

function packageFolder(name) {
  const found = createRequire(join(here, 'package.json')).resolve(name);
  return found.slice(0, found.lastIndexOf(`node_modules/${name}`) + `node_modules/${name}`.length);
}

/** Microseconds of one `edit`, the median of many rounds, in Chromium. */
async function timed(folder) {
  const site = await host(folder);
  const browser = await launch();
  try {
    const page = await browser.newPage();
    await page.goto(`${site.origin}/package.json`);
    return await page.evaluate(async () => {
      const { edit, init } = await import('/index.js');
      await init();
      const code = 'KZ3M-Q7TB-WJ5R-HXYN';
      const rounds = Array.from({ length: 51 }, () => {
        const start = performance.now();
        for (let i = 0; i < 1000; i += 1) edit(code, i % 20, undefined, code);
        return performance.now() - start;
      });
      return rounds.sort((a, b) => a - b)[25];
    });
  } finally {
    await browser.close();
    site.stop();
  }
}

/** Everything that is measured: `{ rows, edit }`. */
export async function measure() {
  const folder = installed();
  try {
    const place = join(folder, 'node_modules/spare-key');
    const below = (...names) => names.map((name) => join(place, name));
    const scripts = (name) => readdirSync(join(place, name)).filter((file) => file !== 'auto.js' && file !== 'speak.js').map((file) => join(place, name, file));
    const module = below('wasm/spare_key_bg.wasm', 'wasm/spare_key.js');
    const rows = [
      weigh('module', module.slice(0, 1)),
      weigh('glue', module.slice(1)),
      weigh('module and glue', module),
      weigh('elements, one by one', [...scripts('elements'), ...scripts('lib')]),
      weigh('module, glue, elements, one by one', [...module, ...scripts('elements'), ...scripts('lib')]),
      await bundled(folder, 'spare-key: module', "import { init, edit, check } from 'spare-key'; await init(); console.log(edit('KZ3MQ', 5), check('KZ3MQ'));"),
      await bundled(folder, 'spare-key: both elements', "import 'spare-key/elements/define.js';"),
      await bundled(folder, 'spare-key: entry field', "import { RecoveryCodeInput } from 'spare-key/elements'; RecoveryCodeInput.define();"),
      weigh('styles', below('styles/spare-key.css')),
      await bundled(folder, 'imask', "import IMask from 'imask'; IMask(document.querySelector('input'), { mask: '****-****-****-****' });"),
      await bundled(folder, 'cleave-zen', "import { formatGeneral, registerCursorTracker } from 'cleave-zen'; const input = document.querySelector('input'); registerCursorTracker({ input, delimiter: '-' }); input.value = formatGeneral(input.value, { blocks: [4, 4, 4, 4], delimiter: '-' });"),
    ];
    return { rows, edit: await timed(place) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function table({ rows, edit }) {
  const lines = [['', 'files', 'bytes', 'gzip', 'brotli'], ...rows.map((row) => [row.name, row.files, row.raw, row.gzip, row.brotli].map(String))];
  const widths = lines[0].map((_, at) => Math.max(...lines.map((line) => line[at].length)));
  const text = lines.map((line) => line.map((cell, at) => (at ? cell.padStart(widths[at]) : cell.padEnd(widths[at]))).join('  '));
  return `${text.join('\n')}\none edit() in Chromium: ${edit.toFixed(2)} µs\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(table(await measure()));
