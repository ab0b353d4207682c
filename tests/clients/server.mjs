/** The real binary, in a folder of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const target = process.env.CARGO_TARGET_DIR ?? join(root, 'target');
export const binary = process.env.SPARE_KEY_BIN ?? join(target, 'debug/spare-key');

/** Starts `spare-key dev` on a free port, over https unless told otherwise. A missing binary is a failure, never a skip. */
export async function start({ flags = ['--https'], env = {} } = {}) {
  if (!existsSync(binary)) throw new Error(`no binary at ${binary}: cargo build`);
  const folder = mkdtempSync(join(tmpdir(), 'spare-key-clients-'));
  const child = spawn(binary, ['dev', ...flags, '--listen', '127.0.0.1:0'], {
    cwd: folder,
    env: { ...process.env, SPARE_KEY_LOG: 'warn', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', (part) => { log += part; });
  const lines = createInterface({ input: child.stdout });
  const origin = await new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`spare-key ended with ${code}: ${log}`)));
    lines.on('line', (line) => {
      const found = /^Listening on (https?:\/\/[^\s/]+)/.exec(line);
      if (found) resolve(found[1]);
    });
  });
  let stopping = false;
  child.once('exit', (code, signal) => {
    if (!stopping) process.stderr.write(`spare-key ended by itself with ${code ?? signal}: ${log}\n`);
  });
  return {
    origin,
    /** What Auth0's clients call the domain: host and port. */
    domain: new URL(origin).host,
    /** The certificate that the clients have to trust. */
    ca: join(folder, 'spare-key-data/ca.pem'),
    folder,
    /** What the server said on stderr. */
    log: () => log,
    async stop() {
      stopping = true;
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
