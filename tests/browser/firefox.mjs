/** Firefox from Debian, spoken to by WebDriver BiDi. A missing browser is a failure, never a skip. */
import { existsSync } from 'node:fs';
import puppeteer from 'puppeteer-core';

const executablePath = process.env.FIREFOX ?? '/usr/bin/firefox-esr';

export function launchFirefox() {
  if (!existsSync(executablePath)) throw new Error(`no browser at ${executablePath}: set FIREFOX`);
  return puppeteer.launch({
    browser: 'firefox', executablePath, headless: true,
    // What is downloaded is kept in the page's own hands; and nobody is asked about the clipboard.
    extraPrefsFirefox: { 'browser.download.alwaysOpenPanel': false, 'dom.events.testing.asyncClipboard': true },
  });
}
