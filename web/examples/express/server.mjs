/**
 * A login of its own that asks Spare Key for recovery codes: `npm start`, with a Spare Key running.
 *
 * PORT, SPARE_KEY (its address), SPARE_KEY_CLIENT and SPARE_KEY_SECRET say otherwise than `dev`.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import express from 'express';

const {
  PORT = '3000', SPARE_KEY = 'http://127.0.0.1:8080', SPARE_KEY_CLIENT = 'dev-host', SPARE_KEY_SECRET = 'dev-host-secret',
} = process.env;
const shared = fileURLToPath(new URL('../shared/', import.meta.url));
const elements = fileURLToPath(new URL('.', import.meta.resolve('spare-key/package.json')));

/** Who is signed in. Yours is in your session. */
const PERSON = { account: 'customer-42', login: 'alice@example.com' };

/** How the person has proven who they are, and when: Spare Key records it. */
const proof = (...amr) => ({ amr, at: new Date().toISOString() });

/** One call of the native API: the status and the document. */
async function spareKey(path, body) {
  const answer = await fetch(`${SPARE_KEY}/recovery/v1/accounts/${encodeURIComponent(PERSON.account)}/${path}`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${SPARE_KEY_CLIENT}:${SPARE_KEY_SECRET}`).toString('base64')}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(body),
  });
  return { ok: answer.ok, status: answer.status, document: await answer.json() };
}

const app = express();
app.use((request, response, next) => {
  response.set({
    'content-security-policy': "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  });
  next();
});
app.use('/spare-key', express.static(elements, { setHeaders: (response) => response.set('cache-control', 'no-cache') }));
app.use('/shared', express.static(shared));

app.get('/', (request, response) => response.sendFile('codes.html', { root: shared }));

app.post('/codes', express.json(), async (request, response) => {
  // The person has just signed in with password and authenticator.
  const { ok, status, document } = await spareKey('batches', { proof: proof('pwd', 'otp') });
  if (!ok) {
    response.status(status === 503 ? 503 : 502).json({});
    return;
  }
  response.json({
    product: 'Fernhill Library',
    account: PERSON.login,
    generation: document.generation,
    issuedOn: new Date(document.issued_at).toLocaleDateString('en-GB', { dateStyle: 'long' }),
    url: `${request.protocol}://${request.get('host')}/recover`,
    codes: document.codes,
  });
});

app.post('/codes/:generation/activate', express.json(), async (request, response) => {
  const { ok, status } = await spareKey(`batches/${Number(request.params.generation)}/activate`, { saved: true });
  response.status(ok ? 200 : status).json({});
});

/** The page again, with what went wrong at the field. */
async function recover(response, status, said) {
  const page = await readFile(`${shared}recover.html`, 'utf8');
  response.status(status).type('html').send(page.replace('<!-- said -->', () => said));
}

app.get('/recover', (request, response) => recover(response, 200, ''));

app.post('/recover', express.urlencoded({ extended: false }), async (request, response) => {
  const code = String(request.body?.code ?? '');
  // The person has proven the password; the code stands in for the authenticator.
  const { ok, status, document } = await spareKey('redeem', { code, proof: proof('pwd') });
  if (ok) {
    response.send(`<!doctype html><html lang="en"><title>You are in</title><main><h1>You are in</h1><p>Code ${Number(document.number)} is used: cross it out. ${Number(document.remaining)} left.</p></main>`);
    return;
  }
  if (status === 422) return recover(response, 422, 'That is not a recovery code. It did not count as a try.');
  if (status === 403) return recover(response, 403, `That code did not work. ${Number(document.tries_left)} tries left.`);
  return recover(response, status, 'That is not possible now. Please try again later.');
});

const server = app.listen(Number(PORT), '127.0.0.1', () => {
  process.stdout.write(`Listening on http://127.0.0.1:${server.address().port}\n`);
});
