/** The texts of the elements and the sheet out of each locale: `node texts.mjs <from> <to>`. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [from, to] = process.argv.slice(2);
for (const name of readdirSync(from).filter((file) => file.endsWith('.json'))) {
  const locale = JSON.parse(readFileSync(join(from, name), 'utf8'));
  const own = Object.entries(locale).filter(([key]) => /^(recovery-codes|recovery-code-input|sheet)\./.test(key));
  writeFileSync(join(to, name), `${JSON.stringify(Object.fromEntries(own), null, 1)}\n`);
}
