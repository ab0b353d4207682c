/** A story: one person of its own before the real server, in a real browser. */
import { after, before, test } from 'node:test';
import { launch } from './chromium.mjs';
import { start } from './server.mjs';
import { Visit } from './visit.mjs';

export const SAVE = '/u/mfa-recovery-code-enrollment';
export const CODE = /^[A-Z2-7]{4}(-[A-Z2-7]{4}){3}$/;

export let browser;
export let server;
before(async () => {
  server = await start();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** A test with a person of its own. */
export function story(name, body, options) {
  test(name, { timeout: 60_000 }, async () => {
    const visit = await Visit.begin(browser, server, options);
    try {
      await body(visit, visit.page);
      await visit.end();
    } finally {
      await visit.context.close();
    }
  });
}

export const cookie = async (visit) => (await visit.context.cookies()).find(({ name }) => name === 'spare-key')?.value;
