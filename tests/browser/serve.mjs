/** A plain foreign page with nothing but the elements, as a host would serve them: `/assets` laid
 * out as the binary does it, under the policy of our own pages. */
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:http';
import { homedir, tmpdir } from 'node:os';
import { delimiter, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const web = join(root, 'web');

export const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

/** The folder with spare_key.js and spare_key_bg.wasm; built where it is not given. */
export function wasmFolder() {
  if (process.env.SPARE_KEY_WASM_DIR) return process.env.SPARE_KEY_WASM_DIR;
  const out = mkdtempSync(join(tmpdir(), 'spare-key-wasm-'));
  const options = { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] };
  execFileSync('cargo', [
    'build', '--quiet', '-p', 'spare-key-wasm', '--target', 'wasm32-unknown-unknown', '--profile', 'wasm-release',
  ], options);
  const target = process.env.CARGO_TARGET_DIR ?? join(root, 'target');
  const tools = join(homedir(), '.cache/spare-key/tools/bin');
  execFileSync('wasm-bindgen', [
    '--target', 'web', '--out-name', 'spare_key', '--out-dir', out,
    join(target, 'wasm32-unknown-unknown/wasm-release/spare_key_wasm.wasm'),
  ], { ...options, env: { ...process.env, PATH: `${tools}${delimiter}${process.env.PATH}` } });
  return out;
}

/**
 * @param {Record<string, string | ((request: object) => { headers?: object, body: string })>} pages
 * @param {string} wasm
 */
export async function serve(pages, wasm = wasmFolder()) {
  const posted = [];
  const requests = [];
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    requests.push(`${request.method} ${pathname}`);
    const headers = { 'content-security-policy': POLICY, 'referrer-policy': 'no-referrer', 'x-content-type-options': 'nosniff' };
    try {
      if (request.method === 'POST') {
        let body = '';
        for await (const part of request) body += part;
        posted.push({ path: pathname, fields: Object.fromEntries(new URLSearchParams(body)) });
        response.writeHead(200, { ...headers, 'content-type': TYPES['.html'] }).end('<!doctype html><title>Posted</title>');
        return;
      }
      if (pathname === '/favicon.ico') {
        response.writeHead(204, headers).end();
        return;
      }
      const page = pages[pathname];
      if (page !== undefined) {
        const { headers: own = {}, body } = typeof page === 'function' ? page(request) : { body: page };
        response.writeHead(200, { ...headers, 'content-type': TYPES['.html'], ...own }).end(body);
        return;
      }
      const path = normalize(pathname.replace('/assets/', ''));
      const file = path.startsWith('wasm/') ? join(wasm, path.slice(5)) : join(web, path);
      const body = await readFile(file);
      response.writeHead(200, { ...headers, 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' }).end(body);
    } catch {
      response.writeHead(404, headers).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  return { origin: `http://127.0.0.1:${port}`, posted, requests, stop: () => server.close() };
}
