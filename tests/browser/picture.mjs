/**
 * The picture of the save prompt in the README: `node picture.mjs [file]`. The real page, with
 * codes that are plainly made up in place of the ones it drew. The committed one has 64 colours:
 * `convert save-prompt.png +dither -colors 64 PNG8:save-prompt.png`.
 */
import { fileURLToPath } from 'node:url';
import { launch } from './chromium.mjs';
import { start } from './server.mjs';
import { Visit } from './visit.mjs';

const file = process.argv[2] ?? fileURLToPath(new URL('../../web/save-prompt.png', import.meta.url));
const SAMPLES = [
  'AAAA-AAAA-AAAA-AAA3', 'BBBB-BBBB-BBBB-BBBB', 'CCCC-CCCC-CCCC-CCCC', 'DDDD-DDDD-DDDD-DDDD', 'EEEE-EEEE-EEEE-EEEE',
  'FFFF-FFFF-FFFF-FFFF', 'GGGG-GGGG-GGGG-GGGG', 'KZ3M-Q7TB-WJ5R-HXYN', 'ABCD-EFGH-IJKL-MNOI', '7777-7777-7777-777R',
];

const server = await start();
const browser = await launch();
try {
  const visit = await Visit.begin(browser, server, { viewport: { width: 900, height: 880 }, colorScheme: 'light', reducedMotion: 'reduce' });
  await visit.toCodes();
  await visit.button('I wrote them down').click();
  await visit.page.getByRole('checkbox').check();
  await visit.page.evaluate((samples) => {
    document.querySelectorAll('.sk-list code').forEach((code, at) => { code.textContent = samples[at]; });
    document.activeElement?.blur();
  }, SAMPLES);
  await visit.page.screenshot({ path: file, animations: 'disabled' });
} finally {
  await browser.close();
  await server.stop();
}
