/**
 * One script tag for a page of anybody's: style sheet, texts in the language of the page, elements.
 *
 * A page that has a style sheet of its own for the elements, or texts, loads `define.js` instead.
 */
import { pageLocale } from '../lib/texts.js';
import { speak } from '../lib/speak.js';

if (!document.querySelector('link[href$="/spare-key.css"]')) {
  const link = document.createElement('link');
  link.rel = 'stylesheet';
  link.href = new URL('../styles/spare-key.css', import.meta.url).href;
  // First of all, so that the page's own rules come after it and win.
  document.head.prepend(link);
}
speak(await pageLocale());
await import('./define.js');
