/** The one way in which these tests start a browser. A missing browser is a failure, never a skip. */
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

const args = [
  '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update',
  '--disable-sync', '--no-first-run', '--disable-dev-shm-usage',
];

function needed() {
  if (!existsSync(executablePath)) throw new Error(`no browser at ${executablePath}: set CHROMIUM`);
}

export function launch(options = {}) {
  needed();
  return chromium.launch({ executablePath, args, ...options });
}

/**
 * The browser as people have it, with a profile in this folder: back-forward cache and form history
 * are on, which the driver otherwise switches off.
 */
export function launchWithProfile(folder, options = {}) {
  needed();
  return chromium.launchPersistentContext(folder, {
    executablePath,
    args: [...args, '--headless=new'],
    ignoreDefaultArgs: ['--disable-back-forward-cache', '--headless', '--password-store=basic', '--disable-features'],
    ...options,
  });
}
