/** The real binary, in a folder of its own, with as many people as the tests want. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../../', import.meta.url));
export const binary = process.env.SPARE_KEY_BIN ?? join(root, 'target/debug/spare-key');

export const PASSWORD = 'correct horse battery staple';
export const PRODUCT = 'Fernhill Library';

/** Starts `spare-key dev` on a free port. A missing binary is a failure, never a skip. */
export async function start(...more) {
  if (!existsSync(binary)) throw new Error(`no binary at ${binary}: cargo build`);
  const folder = mkdtempSync(join(tmpdir(), 'spare-key-story-'));
  const child = spawn(binary, ['dev', '--listen', '127.0.0.1:0', '--product', PRODUCT, ...more], {
    cwd: folder,
    env: { ...process.env, SPARE_KEY_LOG: 'warn' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', (part) => { log += part; });
  const lines = createInterface({ input: child.stdout });
  const origin = await new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`spare-key ended with ${code}: ${log}`)));
    lines.on('line', (line) => {
      const found = /^Listening on (http:\S+)/.exec(line);
      if (found) resolve(found[1]);
    });
  });
  let stopping = false;
  child.once('exit', (code, signal) => {
    if (!stopping) process.stderr.write(`spare-key ended by itself with ${code ?? signal}: ${log}\n`);
  });
  const passwords = join(folder, 'password');
  writeFileSync(passwords, `${PASSWORD}\n`);
  const settings = [
    '--store', `sqlite:${join(folder, 'spare-key-data/spare-key.db')}`,
    '--keyring', join(folder, 'spare-key-data/keyring.toml'),
    '--recovery-codes', 'on',
  ];
  const run = promisify(execFile);
  /** Administration beside the running server. */
  const account = async (...args) => (await run(binary, ['account', ...args, ...settings], { cwd: folder })).stdout;
  let people = 0;
  return {
    binary,
    origin,
    folder,
    account,
    /** Somebody new, who has only a password. */
    async person() {
      people += 1;
      const id = `auth0|person-${people}`;
      const login = `person-${people}@example.com`;
      await account('add', id, '--login', login, '--password-file', passwords);
      return { id, login };
    },
    /** What administration sees of an account. */
    show: async (id) => JSON.parse(await account('show', id, '--json')),
    /** Lets time pass where only the store knows of it. */
    /** Waits until somebody has been told this by mail, which `dev` puts into a folder. */
    told: async (login, text) => {
      const mail = join(folder, 'spare-key-data/mail');
      for (let deadline = Date.now() + 30_000; ; await setTimeout(100)) {
        const files = existsSync(mail) ? readdirSync(mail) : [];
        const texts = files.map((name) => readFileSync(join(mail, name), 'utf8'));
        if (texts.some((one) => one.includes(`To: ${login}\r\n`) && one.includes(text))) return;
        if (Date.now() > deadline) throw new Error(`${login} was not told: ${text}`);
      }
    },
    alter: (sql) => run('sqlite3', ['-cmd', '.timeout 5000', join(folder, 'spare-key-data/spare-key.db'), sql]),
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
