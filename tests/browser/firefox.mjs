/** Firefox from Debian, spoken to by WebDriver BiDi. A missing browser is a failure, never a skip. */
import { existsSync } from 'node:fs';
import puppeteer from 'puppeteer-core';

const executablePath = process.env.FIREFOX ?? '/usr/bin/firefox-esr';

/** @param {string} [profile] a folder of its own, to look at when the browser is closed */
export function launchFirefox(profile) {
  if (!existsSync(executablePath)) throw new Error(`no browser at ${executablePath}: set FIREFOX`);
  return puppeteer.launch({
    browser: 'firefox', executablePath, headless: true, ...(profile && { userDataDir: profile }),
    // As people have it, but that nobody is asked about the clipboard.
    extraPrefsFirefox: { 'browser.formfill.enable': true, 'dom.events.testing.asyncClipboard': true },
  });
}
