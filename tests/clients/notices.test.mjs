/**
 * What people are told outside the pages, as it arrives: at nodemailer's mail server, and at a program
 * that checks with the published libraries of Standard Webhooks.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import { SENDER, authority, freePort, mailServer, program, secretFile, telling, until, withoutCodes } from './notices.mjs';
import { binary } from './server.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const CAROL = 'auth0|carol';
const LOGIN = 'carol@example.com';
const ADDED = 'carol@home.example';
const FROM = { SPARE_KEY_MAIL_FROM: 'Example Inc. <no-reply@mail.example.com>', SPARE_KEY_MAIL_CONTACT: 'help@example.com, +1 555 0100' };

/** The first retry comes half a minute after the first try. */
const RETRIED = 60_000;

const tls = authority();
after(tls.remove);

const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;
const saysOf = (words) => ({ parsed }) => parsed.text.includes(words);
const byAddress = (mails) => Object.fromEntries(mails.map((mail) => [mail.to.join(), mail]).sort());

/** A time as people read it, to the minute. */
function minute(at) {
  const [day, time] = new Date(at).toISOString().split('T');
  const [year, month, date] = day.split('-').map(Number);
  const months = 'January February March April May June July August September October November December'.split(' ');
  return `${date} ${months[month - 1]} ${year}, ${time.slice(0, 5)} UTC`;
}

/** A server that mails by this one. */
const mailing = (t, address, more = {}) => telling(t, {
  ...more,
  env: { SSL_CERT_FILE: tls.file, SPARE_KEY_MAIL_SERVER: address, ...FROM, ...more.env },
});

/** How many events the mails tell of. */
const toldIn = (mails) => mails.flatMap(({ parsed }) => parsed.text.match(/^\* /gm)).length;

/** Carol with a second address and saved codes, who has been told of all of it: what comes next comes alone. */
async function settled(server, mails) {
  await server.administer('address', CAROL, '--add', ADDED);
  const codes = await server.codes(CAROL);
  await until('carol is told of her codes', () => mails.taken.filter(saysOf('codes were saved, set 1')).length === 2);
  await until('all of it is counted', async () => await server.counted('mail', 'sent') === toldIn(mails.taken));
  return codes;
}

/** Carol redeems a code and is told, all of it, in one mail to each address. */
async function toldOfARedemption(server, mails, codes) {
  const began = Date.now();
  const { generation, number, remaining } = await server.redeem(CAROL, codes[0]);
  assert.deepEqual([generation, number, remaining], [1, 1, 9]);
  const what = 'Signed in with recovery code 1 of set 1';
  const told = await until('carol is told of the code', () => {
    const found = mails.taken.filter(saysOf(what));
    return found.length === 2 && byAddress(found);
  });
  assert.deepEqual(Object.keys(told), [LOGIN, ADDED], 'each address gets a mail of its own');
  const minutes = [began, Date.now()].map(minute);
  for (const [address, { parsed, raw, secure, user }] of Object.entries(told)) {
    assert.ok(secure, 'it came over TLS');
    assert.equal(user, SENDER.user);
    assert.equal(parsed.to.text, address);
    assert.equal(parsed.from.text, '"Example Inc." <no-reply@mail.example.com>');
    assert.equal(parsed.subject, `Spare Key: ${what}`);
    assert.equal(parsed.headers.get('auto-submitted'), 'auto-generated');
    assert.ok(minutes.some((at) => parsed.text.includes(at)), parsed.text);
    assert.match(parsed.text, /\b9 recovery codes are left\./);
    assert.match(parsed.text, /From the network address 127\.0\.0\.1\./);
    assert.ok(parsed.text.includes(`on the account ${LOGIN} at Spare Key`), parsed.text);
    assert.ok(parsed.text.includes(`If it was not you: sign in at ${server.origin}/account now`), parsed.text);
    assert.match(parsed.text, /Whom to turn to: help@example\.com, \+1 555 0100/);
    assert.deepEqual(parsed.attachments, []);
    assert.equal(parsed.html, false);
    withoutCodes(codes, raw);
  }
  for (const { raw, parsed } of mails.taken) {
    withoutCodes(codes, raw);
    withoutCodes(codes, `${parsed.subject} ${parsed.text}`);
  }
}

/** What a program does with a request, as the library's users write it. */
const verified = (secret, { body, headers }) => new Webhook(secret).verify(body, headers);

/** The same with the library for Python. */
function verifiedByPython(secret, { body, headers }) {
  const script = 'import json, sys; from standardwebhooks import Webhook\n'
    + 'given = json.load(sys.stdin); print(json.dumps(Webhook(given["secret"]).verify(given["body"], given["headers"])))';
  return new Promise((resolve, reject) => {
    const child = execFile(process.env.CLIENTS_PYTHON, ['-c', script], (error, printed) => (error ? reject(error) : resolve(JSON.parse(printed))));
    child.stdin.end(JSON.stringify({ secret, body, headers }));
  });
}

/** What a request says of an event. */
const MEMBERS = ['event', 'account', 'login', 'actor', 'generation', 'number', 'remaining', 'detail', 'ip', 'text'];

const guide = readFileSync(join(here, '../../web/docs/notices.md'), 'utf8');

/** A fenced block of the guide. */
const block = (info) => guide.split(`\`\`\`${info}\n`)[1].split('```\n')[0];

describe('people are told', { concurrency: true }, () => {
  // Rows and S22.
  test('over STARTTLS a code that let somebody in is told to all of their addresses, with what to do and without any code', async (t) => {
    const mails = await mailServer(t, { key: tls.key, cert: tls.cert });
    const server = await mailing(t, mails.address('smtp'));
    await toldOfARedemption(server, mails, await settled(server, mails));
    // A handshake follows (RFC 8446, 5.1).
    for (const heard of mails.heard()) assert.match(heard.toString('latin1'), /^EHLO \S+\r\nSTARTTLS\r\n\x16\x03/);
  });

  // Rows and S22.
  test('with smtps:// the same is told over TLS from the first byte', async (t) => {
    const mails = await mailServer(t, { secure: true, key: tls.key, cert: tls.cert });
    const server = await mailing(t, mails.address('smtps'));
    await toldOfARedemption(server, mails, await settled(server, mails));
    for (const heard of mails.heard()) assert.match(heard.toString('latin1'), /^\x16\x03/);
  });

  for (const [whose, options, env, greeting] of [
    ['that offers no STARTTLS', { hideSTARTTLS: true, allowInsecureAuth: true }, {}, /^(EHLO \S+\r\n(QUIT\r\n)?)?$/],
    [
      'whose certificate nobody vouches for', { key: tls.key, cert: tls.cert }, { SSL_CERT_FILE: process.env.NODE_EXTRA_CA_CERTS },
      /^(EHLO \S+\r\n(STARTTLS\r\n(\x16\x03[^]*)?)?)?$/,
    ],
  ]) {
    test(`a mail server ${whose} gets neither mail nor password, and the code lets in all the same`, async (t) => {
      const mails = await mailServer(t, options);
      const server = await mailing(t, mails.address('smtp'), { env });
      const [code] = await server.codes(CAROL);
      assert.equal((await server.redeem(CAROL, code)).remaining, 9);
      // Three of these, and four that tell of what `dev` has set up.
      await until('all mail has failed', async () => await server.counted('mail', 'failed') >= 7);
      const heard = mails.heard().map((bytes) => bytes.toString('latin1'));
      assert.ok(heard.some((bytes) => bytes.startsWith('EHLO ')));
      for (const bytes of heard) assert.match(bytes, greeting);
      assert.equal(mails.logins + mails.taken.length + mails.refused.length, 0);
      assert.equal(await server.counted('mail', 'sent'), 0);
    });
  }

  test('mail goes in the clear where ?tls=none was said, and never with a password to another computer', async (t) => {
    const mails = await mailServer(t, { hideSTARTTLS: true, authOptional: true });
    const server = await mailing(t, mails.open('?tls=none'));
    await server.redeem(CAROL, (await settled(server, mails))[0]);
    await until('carol is told', () => mails.taken.some(saysOf('Signed in with recovery code 1')));
    const elsewhere = { ...FROM, SPARE_KEY_MAIL_SERVER: 'smtp://somebody:password@mail.example.com?tls=none' };
    await assert.rejects(promisify(execFile)(binary, ['check'], { env: { ...process.env, ...elsewhere } }), ({ stdout }) => {
      assert.match(stdout, /^NO .*with tls=none the mail server's password would travel in the clear$/m);
      return true;
    });
  });

  // Row O2.
  test('a mail server that refuses for a while gets it later under the same name, and the code has let in meanwhile', async (t) => {
    const mails = await mailServer(t, { key: tls.key, cert: tls.cert });
    const server = await mailing(t, mails.address('smtp'));
    const codes = await settled(server, mails);
    const before = await server.counted('mail', 'sent');

    mails.refuse = 'too busy, come again';
    assert.equal((await server.redeem(CAROL, codes[0])).remaining, 9);
    await until('both mails were refused', () => mails.refused.length === 2);
    await until('both refusals are counted', async () => await server.counted('mail', 'failed') === 2);
    assert.equal(await server.counted('mail', 'sent'), before);
    assert.equal((await server.account(CAROL)).remaining, 9);
    const first = byAddress(mails.refused);

    mails.refuse = null;
    const mailed = () => mails.taken.filter(saysOf('Signed in with recovery code 1 of set 1'));
    await until('both mails came again', () => mailed().length === 2, RETRIED);
    const again = byAddress(mailed());
    assert.deepEqual(Object.keys(again), [LOGIN, ADDED]);
    for (const [address, { parsed, raw }] of Object.entries(again)) {
      assert.match(parsed.messageId, /^<[^@\s]+@mail\.example\.com>$/);
      assert.equal(parsed.messageId, first[address].parsed.messageId);
      assert.equal(parsed.text, first[address].parsed.text);
      withoutCodes(codes, raw);
    }
    await until('both are counted', async () => await server.counted('mail', 'sent') === before + 2);
    assert.equal(await server.counted('mail', 'failed'), 2);
    assert.equal((await server.account(CAROL)).remaining, 9);
  });

  test('each event is one request, which the published libraries accept with the secret and with no other', async (t) => {
    const secret = newSecret();
    const hook = await program(t, tls);
    const server = await telling(t, {
      env: { SSL_CERT_FILE: tls.file, SPARE_KEY_WEBHOOK: hook.address('/notices?of=people'), SPARE_KEY_WEBHOOK_SECRET_FILE: secretFile(t, secret) },
    });
    // Somebody of a host, who has no address here.
    const codes = await server.codes('customer-42');
    await server.redeem('customer-42', codes[3]);
    await until('the program is told of the code', () => hook.of('customer-42').some(({ json }) => json.type === 'codes.redeemed'));
    await until('all of it is counted', async () => await server.counted('webhook', 'sent') === hook.requests.length);

    // As the audit trail has them, which is read newest first.
    const events = (await server.events('customer-42')).map(({ kind, at, id }) => ({ kind, at, id }));
    assert.deepEqual(events.map(({ kind }) => kind).slice(0, 3), ['codes.redeemed', 'codes.activated', 'codes.staged']);
    const requests = hook.of('customer-42');
    const told = requests.map(({ json }) => ({ kind: json.type, at: json.timestamp, id: json.data.event }));
    assert.deepEqual(told.sort((one, other) => other.id - one.id), events.slice(0, 3));
    assert.equal(new Set(hook.requests.map(({ headers }) => headers['webhook-id'])).size, hook.requests.length);

    for (const request of hook.requests) {
      assert.equal(`${request.method} ${request.path}`, 'POST /notices?of=people');
      assert.equal(request.headers['content-type'], 'application/json');
      assert.deepEqual(verified(secret, request), request.json);
      assert.deepEqual(Object.keys(request.json), ['type', 'timestamp', 'data']);
      assert.throws(() => verified(newSecret(), request), WebhookVerificationError);
      const changed = { ...request, body: request.body.replace('"type"', '"Type"') };
      assert.throws(() => verified(secret, changed), WebhookVerificationError);
      withoutCodes(codes, JSON.stringify([request.headers, request.body]));
    }
    const redeemed = requests.find(({ json }) => json.type === 'codes.redeemed');
    const { event, ...data } = redeemed.json.data;
    assert.deepEqual(Object.keys(redeemed.json.data), MEMBERS);
    assert.deepEqual(data, {
      account: 'customer-42', login: null, actor: 'client', generation: 1, number: 4, remaining: 9,
      detail: data.detail, ip: '127.0.0.1', text: 'Signed in with recovery code 4 of set 1',
    });
    assert.deepEqual(await verifiedByPython(secret, redeemed), redeemed.json);
    await assert.rejects(verifiedByPython(newSecret(), redeemed), /WebhookVerificationError/);
  });

  test('a program that answers 500 is told again under the same name, and both tries are counted', async (t) => {
    const secret = newSecret();
    const hook = await program(t);
    const server = await telling(t, {
      env: { SPARE_KEY_WEBHOOK: hook.address('/'), SPARE_KEY_WEBHOOK_SECRET_FILE: secretFile(t, secret) },
    });
    const codes = await server.codes('customer-42');
    await until('the program is told of the codes', () => hook.of('customer-42').length === 2);

    hook.answer = 500;
    assert.equal((await server.redeem('customer-42', codes[0])).remaining, 9);
    await until('it refuses', () => hook.of('customer-42').length === 3);
    await until('that is counted', async () => await server.counted('webhook', 'failed') === 1);
    const sent = await server.counted('webhook', 'sent');

    hook.answer = 204;
    await until('the program is told again', () => hook.of('customer-42').length === 4, RETRIED);
    await until('that is counted too', async () => await server.counted('webhook', 'sent') === sent + 1);
    assert.equal(await server.counted('webhook', 'failed'), 1);
    const [first, second] = hook.of('customer-42').slice(2);
    assert.deepEqual([first.answered, second.answered], [500, 204]);
    assert.equal(second.headers['webhook-id'], first.headers['webhook-id']);
    assert.equal(second.body, first.body);
    assert.ok(Number(second.headers['webhook-timestamp']) > Number(first.headers['webhook-timestamp']), 'signed anew');
    assert.deepEqual(verified(secret, second), verified(secret, first));
  });

  test('the program of the guide prints what happened once and takes nothing that is not signed', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'spare-key-hook-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    symlinkSync(join(here, 'node_modules'), join(folder, 'node_modules'));
    const [secret, port] = [newSecret(), await freePort()];
    writeFileSync(join(folder, 'hook.mjs'), block('js hook.mjs').replace('listen(3000', `listen(${port}`));
    const hook = spawn(process.execPath, ['hook.mjs'], { cwd: folder, env: { WEBHOOK_SECRET: secret }, stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => hook.kill());
    let printed = '';
    hook.stdout.on('data', (part) => { printed += part; });
    const address = `http://127.0.0.1:${port}/`;
    const forged = { 'webhook-id': 'evt_1_1', 'webhook-timestamp': String(Math.floor(Date.now() / 1000)), 'webhook-signature': 'v1,AAAA' };
    const answer = await until('it listens', () => fetch(address, { method: 'POST', headers: forged, body: '{}' }).catch(() => null));
    assert.equal(answer.status, 400);

    const server = await telling(t, { env: { SPARE_KEY_WEBHOOK: address, SPARE_KEY_WEBHOOK_SECRET_FILE: secretFile(t, secret) } });
    const codes = await server.codes('customer-42');
    await server.redeem('customer-42', codes[1]);
    const line = 'customer-42: Signed in with recovery code 2 of set 1\n';
    await until('it prints what happened', () => printed.includes(line));
    assert.equal(printed.split(line).length, 2);
    assert.equal(await server.counted('webhook', 'failed'), 0);
  });

  test('the request of the guide is signed with the secret that stands beside it, and has the members of a real one', () => {
    const [head, body] = block('http').trimEnd().split('\n\n');
    const headers = Object.fromEntries(head.split('\n').slice(1).map((line) => line.split(': ')));
    const [secret] = /whsec_[A-Za-z0-9+/=]+(?=`, the secret of)/.exec(guide);
    const at = new Date(Number(headers['webhook-timestamp']) * 1000);
    assert.equal(new Webhook(secret).sign(headers['webhook-id'], at, body), headers['webhook-signature']);
    assert.deepEqual(Object.keys(JSON.parse(body).data), MEMBERS);
  });

  // Row S16.
  test('the log of the server says that nobody was reached, and never an address, a password, a secret or a code', async (t) => {
    const secret = newSecret();
    const [mails, hook] = [await mailServer(t, { key: tls.key, cert: tls.cert }), await program(t, tls)];
    // Mail servers like to repeat whom they refuse.
    mails.refuse = `not now: <${LOGIN}> <${ADDED}>`;
    hook.answer = 503;
    const server = await mailing(t, mails.address('smtp'), {
      env: {
        SPARE_KEY_LOG: 'trace',
        SPARE_KEY_WEBHOOK: hook.address('/in/the-path-is-a-password'),
        SPARE_KEY_WEBHOOK_SECRET_FILE: secretFile(t, secret),
      },
    });
    await server.administer('address', CAROL, '--add', ADDED);
    const codes = await server.codes(CAROL);
    await server.redeem(CAROL, codes[0]);
    await until('mail was refused', () => mails.refused.filter(saysOf('Signed in with recovery code 1')).length === 2);
    await until('the webhook was refused', () => hook.of(CAROL).some(({ json }) => json.type === 'codes.redeemed'));
    await server.stop();

    const log = server.log();
    assert.match(log, /a mail was not taken .*the mail server answered 450/);
    assert.match(log, /the webhook refused .*503/);
    const base64 = (text) => Buffer.from(text).toString('base64');
    const { user, password } = SENDER;
    for (const hidden of [
      LOGIN, ADDED, 'carol', user, password, encodeURIComponent(password), base64(password), base64(`\0${user}\0${password}`),
      'no-reply@', 'help@', secret, secret.slice('whsec_'.length), 'the-path-is-a-password',
    ]) assert.ok(!log.includes(hidden), `${hidden} is in the log:\n${log.split('\n').filter((line) => line.includes(hidden)).join('\n')}`);
    withoutCodes(codes, log);
  });
});
