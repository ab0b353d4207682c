/**
 * Starts the server and then the tests of the clients, which find it in their environment.
 *
 *   node run.mjs            the tests in JavaScript, then those in Python
 *   node run.mjs FILE…      only these
 *
 * The clients trust the server's certificate by the variables that their users set, and Node reads
 * its own only when it starts: hence the tests are processes of their own. One server serves all of
 * them, one file after the other, because policy and factors are the tenant's.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { start } from './server.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const python = process.env.CLIENTS_PYTHON ?? join(here, '.tools/python/bin/python');
const asked = process.argv.slice(2);
const files = asked.length > 0 ? asked : readdirSync(here).sort();
const javascript = files.filter((name) => name.endsWith('.test.mjs'));
const modules = files.filter((name) => /^test_\w+\.py$/.test(name)).map((name) => name.slice(0, -3));

if (!existsSync(python)) throw new Error(`no Python at ${python}: tests/run --install`);

const server = await start();
const env = {
  ...process.env,
  SPARE_KEY_DOMAIN: server.domain,
  SPARE_KEY_DATABASE: join(server.folder, 'spare-key-data/spare-key.db'),
  NODE_EXTRA_CA_CERTS: server.ca,
  SSL_CERT_FILE: server.ca,
  REQUESTS_CA_BUNDLE: server.ca,
  CLIENTS_PYTHON: python,
  PYTHONDONTWRITEBYTECODE: '1',
};

async function run(program, ...args) {
  const child = spawn(program, args, { cwd: here, env, stdio: 'inherit' });
  const [code] = await once(child, 'exit');
  return code === 0;
}

let passed = javascript.length + modules.length > 0;
try {
  if (javascript.length > 0) {
    passed = await run(process.execPath, '--test', '--test-concurrency=1', '--test-timeout=120000', ...javascript) && passed;
  }
  if (modules.length > 0) {
    passed = await run(python, '-W', 'ignore', '-m', 'unittest', '-v', ...modules) && passed;
  }
} finally {
  if (!passed) process.stderr.write(server.log());
  await server.stop();
}
process.exitCode = passed ? 0 : 1;
