/** The npm package as it would be published, unpacked where a host would have it. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { POLICY } from './serve.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const source = join(root, 'web/package/');
const dist = join(source, 'dist');

/** When the newest file below was written. */
function newest(path) {
  if (!statSync(path).isDirectory()) return statSync(path).mtimeMs;
  const inside = readdirSync(path).filter((name) => name !== 'dist').map((name) => newest(join(path, name)));
  return Math.max(0, ...inside);
}

/** The folder of what would be published; made anew where a source is newer than what is there. */
export function built() {
  const sources = ['Cargo.lock', 'Cargo.toml', 'core/src', 'wasm/src', 'wasm/Cargo.toml', 'wasm/build.rs', 'web/elements', 'web/lib', 'web/locales', 'web/package', 'web/styles', 'web/wasm'];
  const made = join(dist, 'wasm/spare_key.js');
  const when = existsSync(made) ? statSync(made).mtimeMs : 0;
  if (sources.some((path) => newest(join(root, path)) > when)) {
    execFileSync(join(source, 'build.sh'), { stdio: ['ignore', 'inherit', 'inherit'] });
  }
  return dist;
}

/** A folder of a host with the package in its node_modules, as npm puts it there. */
export function installed() {
  const folder = mkdtempSync(join(tmpdir(), 'spare-key-host-'));
  const [{ filename }] = JSON.parse(execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: built(), encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'],
  }));
  const place = join(folder, 'node_modules/spare-key');
  mkdirSync(place, { recursive: true });
  execFileSync('tar', ['xzf', join(folder, filename), '--strip-components=1', '-C', place]);
  return folder;
}

const TYPES = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8',
  '.json': 'application/json', '.wasm': 'application/wasm', '.svg': 'image/svg+xml',
};

/** Files of a folder and nothing else, under the policy of our own pages: somebody's static host. */
export async function host(folder, policy = POLICY) {
  const asked = [];
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    asked.push(`${request.method} ${pathname}`);
    const headers = { 'content-security-policy': policy, 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' };
    if (pathname === '/favicon.ico') {
      response.writeHead(204, headers).end();
      return;
    }
    try {
      const file = join(folder, normalize(pathname === '/' ? '/index.html' : pathname));
      response.writeHead(200, { ...headers, 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' }).end(await readFile(file));
    } catch {
      response.writeHead(404, headers).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { origin: `http://127.0.0.1:${server.address().port}`, asked, stop: () => server.close() };
}
