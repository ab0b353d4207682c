/** Who is told in the tests of notices: a mail server, an operator's program, and a server that tells them. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { binary, start } from './server.mjs';

/** Who may send by the mail server. No part of it is fit for an address as it stands. */
export const SENDER = { user: 'spare-key@example.com', password: 'pass/word@ 100%' };

/** Waits for what comes sooner or later, and says what there was where it does not. */
export async function until(what, probe, within = 20_000) {
  const end = Date.now() + within;
  for (;;) {
    const found = await probe();
    if (found) return found;
    if (Date.now() > end) assert.fail(`not within ${within / 1000} s: ${what}`);
    await sleep(100);
  }
}

/** An authority, and a certificate of it for this computer. */
export function authority() {
  const folder = mkdtempSync(join(tmpdir(), 'spare-key-authority-'));
  const make = (...args) => execFileSync('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', ...args,
  ], { cwd: folder, stdio: 'pipe' });
  make('-subj', '/CN=Authority of a test', '-keyout', 'ca-key.pem', '-out', 'ca.pem');
  make(
    '-CA', 'ca.pem', '-CAkey', 'ca-key.pem', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost',
    '-addext', 'basicConstraints=critical,CA:FALSE', '-keyout', 'key.pem', '-out', 'certificate.pem',
  );
  return {
    /** What SSL_CERT_FILE has to name. */
    file: join(folder, 'ca.pem'),
    key: readFileSync(join(folder, 'key.pem')),
    cert: readFileSync(join(folder, 'certificate.pem')),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function listen(server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
}

/** A port for a program that cannot say which one it got. */
export async function freePort() {
  const server = net.createServer();
  const port = await listen(server);
  await new Promise((closed) => { server.close(closed); });
  return port;
}

/**
 * A mail server that wants the sender's name and password. `refuse`, while it is a text, is what it
 * answers to every mail. What is sent to it passes a listener on the line, who hears what anybody on
 * the network would.
 */
export async function mailServer(t, options) {
  const taken = [];
  const refused = [];
  const heard = [];
  const told = { refuse: null, logins: 0 };
  const smtp = new SMTPServer({
    disableReverseLookup: true,
    closeTimeout: 100,
    ...options,
    onAuth({ username, password }, session, done) {
      told.logins += 1;
      const right = username === SENDER.user && password === SENDER.password;
      done(right ? null : new Error('who is that?'), { user: username });
    },
    async onData(stream, session, done) {
      const parts = [];
      for await (const part of stream) parts.push(part);
      const raw = Buffer.concat(parts);
      const mail = {
        raw: raw.toString('latin1'),
        parsed: await simpleParser(raw),
        to: session.envelope.rcptTo.map(({ address }) => address),
        secure: session.secure,
        user: session.user,
      };
      (told.refuse === null ? taken : refused).push(mail);
      done(told.refuse === null ? null : Object.assign(new Error(told.refuse), { responseCode: 450 }));
    },
  });
  // Clients that break off are no concern of the test.
  smtp.on('error', () => {});
  const behind = await listen(smtp.server);
  const sockets = new Set();
  const line = net.createServer((socket) => {
    const onward = net.connect(behind, '127.0.0.1');
    const parts = [];
    heard.push(parts);
    socket.on('data', (part) => parts.push(part));
    for (const [one, other] of [[socket, onward], [onward, socket]]) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.pipe(other);
    }
  });
  const port = await listen(line);
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    line.close();
    await new Promise((closed) => { smtp.close(closed); });
  });
  return Object.assign(told, {
    taken,
    refused,
    /** Everything that went over the line to the mail server, by connection. */
    heard: () => heard.map((parts) => Buffer.concat(parts)),
    address: (scheme, rest = '') => `${scheme}://${encodeURIComponent(SENDER.user)}:${encodeURIComponent(SENDER.password)}@localhost:${port}${rest}`,
    open: (rest = '') => `smtp://localhost:${port}${rest}`,
  });
}

/** An operator's program. `answer` is what it answers from now on. */
export async function program(t, tls) {
  const requests = [];
  const told = { answer: 204 };
  const listener = async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts).toString('utf8');
    requests.push({ method: request.method, path: request.url, headers: request.headers, body, json: JSON.parse(body), answered: told.answer });
    response.writeHead(told.answer).end();
  };
  const server = tls === undefined ? http.createServer(listener) : https.createServer({ key: tls.key, cert: tls.cert }, listener);
  const port = await listen(server);
  t.after(async () => {
    server.closeAllConnections();
    await new Promise((closed) => { server.close(closed); });
  });
  return Object.assign(told, {
    requests,
    address: (path) => `${tls === undefined ? 'http' : 'https'}://localhost:${port}${path}`,
    /** What it was told of an account. */
    of: (account) => requests.filter(({ json }) => json.data.account === account),
  });
}

/** A server that tells people, and a host that asks it. */
export async function telling(t, { env, flags = [] }) {
  const server = await start({ flags, env });
  t.after(server.stop);
  const data = join(server.folder, 'spare-key-data');
  const request = async (method, path, json) => {
    const response = await fetch(`${server.origin}/recovery/v1/accounts/${path}`, {
      method,
      headers: {
        authorization: `Basic ${Buffer.from('dev-host:dev-host-secret').toString('base64')}`,
        ...(json && { 'content-type': 'application/json' }),
      },
      body: json && JSON.stringify(json),
    });
    const answer = await response.json();
    assert.ok(response.ok, `${method} ${path}: ${JSON.stringify(answer)}`);
    return answer;
  };
  const proof = () => ({ amr: ['pwd', 'otp'], at: new Date().toISOString() });
  return {
    ...server,
    /** Ten codes, saved. */
    async codes(account) {
      const path = encodeURIComponent(account);
      const { codes, generation } = await request('POST', `${path}/batches`, { proof: proof() });
      await request('POST', `${path}/batches/${generation}/activate`, { saved: true });
      return codes.map(({ code }) => code);
    },
    redeem: (account, code) => request('POST', `${encodeURIComponent(account)}/redeem`, { code, proof: proof() }),
    account: (account) => request('GET', encodeURIComponent(account)),
    events: async (account) => (await request('GET', `${encodeURIComponent(account)}/events`)).events,
    /** Administration, in another process beside the running server. */
    administer: (...args) => promisify(execFile)(binary, [
      'account', ...args, '--store', `sqlite:${join(data, 'spare-key.db')}`, '--keyring', join(data, 'keyring.toml'),
    ]),
    /** How many tries by this way had this outcome. */
    async counted(way, outcome) {
      const text = await (await fetch(`${server.origin}/metrics`)).text();
      const [, count] = new RegExp(`^spare_key_notices_total\\{way="${way}",outcome="${outcome}"\\} (\\d+)$`, 'm').exec(text);
      return Number(count);
    },
  };
}

/** A file that only its owner reads. */
export function secretFile(t, secret) {
  const folder = mkdtempSync(join(tmpdir(), 'spare-key-secret-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'webhook-secret');
  writeFileSync(file, `${secret}\n`, { mode: 0o600 });
  return file;
}

const bare = (text) => text.replace(/[^A-Za-z0-9]/g, '').toUpperCase();

/** None of the codes is in the text, whatever stands between its symbols and however they are written. */
export function withoutCodes(codes, text) {
  const searched = bare(text);
  for (const code of codes) assert.ok(!searched.includes(bare(code)), `a code is in: ${text}`);
}
