/**
 * Pictures of every page in every state, for people to look at: `node pages-shots.mjs [folder]`.
 * Wide and narrow, light and dark, and once from right to left.
 */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { launch } from './chromium.mjs';
import { start } from './server.mjs';
import { wholeTour } from './pages-tour.mjs';

const folder = process.argv[2] ?? fileURLToPath(new URL('./shots/', import.meta.url));
mkdirSync(folder, { recursive: true });
const only = process.argv.slice(3);

const LOOKS = [
  ['light-1280', 'light', 1280], ['dark-1280', 'dark', 1280], ['light-320', 'light', 320], ['dark-320', 'dark', 320],
];

const server = await start();
const browser = await launch();
try {
  for (const [language, looks] of [['en', LOOKS], ['ar', LOOKS.slice(0, 3)], ['de', LOOKS.slice(2, 3)], ['ja', LOOKS.slice(2, 3)]]) {
    if (only.length > 0 && !only.includes(language)) continue;
    await wholeTour(browser, server, language, async (page, name) => {
      for (const [look, colorScheme, width] of looks) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 800 });
        await page.screenshot({ path: `${folder}/${language}-${name}-${look}.png`, fullPage: true, animations: 'disabled' });
      }
      await page.setViewportSize({ width: 1280, height: 900 });
    });
  }
} finally {
  await browser.close();
  await server.stop();
}
