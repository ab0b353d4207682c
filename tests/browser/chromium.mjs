/** The one way in which these tests start a browser. A missing browser is a failure, never a skip. */
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import puppeteer from 'puppeteer-core';

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
 * The browser as people have it, with a profile in this folder, where it keeps its form history.
 */
export function launchWithProfile(folder, options = {}) {
  needed();
  return chromium.launchPersistentContext(folder, {
    executablePath,
    args: [...args, '--headless=new'],
    ignoreDefaultArgs: ['--headless'],
    ...options,
  });
}

/**
 * The browser with its back-forward cache on: the other driver follows a page that comes back from
 * it, which the first cannot.
 */
export function launchWithCache() {
  needed();
  return puppeteer.launch({ executablePath, args, ignoreDefaultArgs: ['--disable-back-forward-cache'] });
}
