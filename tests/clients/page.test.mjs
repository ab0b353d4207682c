/** The page `web/docs/auth0.md`: what it says to copy and paste runs as it stands. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Authenticator } from '../browser/totp.mjs';
import { CODE, domain, login, redeem, settle } from './tenant.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const page = readFileSync(join(here, '../../web/docs/auth0.md'), 'utf8');
const ADDRESS = '127.0.0.1:8443';

/** The fenced blocks: what is behind the language, and the text. */
const blocks = [...page.matchAll(/^```(\w+) ?(\S*)\n([\s\S]*?)^```$/gm)].map(([, language, name, text]) => ({ language, name, text }));
const trust = blocks.find(({ name }) => name === 'trust').text;

const folder = mkdtempSync(join(tmpdir(), 'spare-key-page-'));
before(async () => {
  await settle();
  symlinkSync(dirname(process.env.NODE_EXTRA_CA_CERTS), join(folder, 'spare-key-data'));
  symlinkSync(join(here, 'node_modules'), join(folder, 'node_modules'));
  for (const { name, text } of blocks.filter(({ name }) => name.includes('.'))) {
    assert.ok(text.includes(ADDRESS), `${name} names no server`);
    // Here both versions are installed, and the older one has another name.
    const own = name === 'again-4.mjs' ? text.replace("from 'auth0'", "from 'auth0-v4'") : text;
    writeFileSync(join(folder, name), own.replaceAll(ADDRESS, domain));
  }
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** A shell as the reader has it: in their folder, with nothing of ours but programs. */
function shell(session) {
  const PATH = [dirname(process.execPath), dirname(process.env.CLIENTS_PYTHON), process.env.PATH].join(delimiter);
  const child = spawn('bash', ['-euo', 'pipefail', '-c', `${trust}\n${session}`], { cwd: folder, env: { PATH, HOME: folder } });
  let printed = '';
  let said = '';
  child.stdout.on('data', (part) => { printed += part; });
  child.stderr.on('data', (part) => { said += part; });
  const ended = once(child, 'exit').then(([code]) => {
    assert.equal(code, 0, `${session}${printed}${said}`);
    return printed;
  });
  return { child, ended, printed: () => printed };
}

describe('the sessions', () => {
  const sessions = blocks.flatMap(({ name, text }, at) => (name === 'session' ? [{ session: text, expected: blocks[at + 1] }] : []));
  assert.equal(sessions.length, 3);
  for (const { session, expected } of sessions) {
    test(session.trim().split('\n').at(-1), async () => {
      assert.equal(expected.language, 'text');
      const lines = (await shell(session).ended).trimEnd().split('\n');
      const wanted = expected.text.trimEnd().split('\n');
      assert.equal(lines.length, wanted.length, lines.join('\n'));
      wanted.forEach((line, at) => {
        const [before, code] = line.split('…');
        if (code === undefined) assert.equal(lines[at], line);
        else {
          assert.ok(lines[at].startsWith(before), lines[at]);
          assert.match(lines[at].slice(before.length), CODE);
        }
      });
    });
  }

  test('node again-4.mjs', async () => {
    assert.equal(await shell('node again-4.mjs').ended, 'true\n');
  });
});

test('enroll.mjs, with an app and a person at the terminal', async () => {
  const { child, ended, printed } = shell('node enroll.mjs');
  while (!printed().includes('Six digits from the app: ')) await once(child.stdout, 'data');
  const [, secret] = /Key for the authenticator app: ([A-Z2-7]+)\n/.exec(printed());
  const [, code] = /Recovery code, write it down: (\S+)\n/.exec(printed());
  child.stdin.end(`${await new Authenticator(secret).next()}\n`);
  assert.match(await ended, /Signed in as auth0\|alice\.\n$/);
  const { body } = await login({ email: 'alice@example.com' });
  assert.equal((await redeem(body.mfa_token, code)).status, 200);
});

test('every file of the page is run by something here', () => {
  const names = blocks.filter(({ name }) => name.includes('.')).map(({ name }) => name);
  const run = page + readFileSync(fileURLToPath(import.meta.url), 'utf8');
  for (const name of names) assert.match(run, new RegExp(`(node|python) ${name.replace('.', '\\.')}`), name);
  assert.ok(names.length >= 8, names.join());
});
