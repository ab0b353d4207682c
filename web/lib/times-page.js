/**
 * Times of day in the reader's own time zone: the server knows none and writes UTC.
 * What cannot be read is left as it stands.
 */
const language = document.documentElement.lang;
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
// The figures that the rest of the page has.
const format = new Intl.DateTimeFormat(`${language === 'en' ? 'en-GB' : language}-u-nu-latn`, { dateStyle: 'long', timeStyle: 'short', hourCycle: 'h23', timeZone: zone });

for (const element of document.querySelectorAll('time[datetime*="T"]')) {
  const time = Date.parse(element.getAttribute('datetime') ?? '');
  if (!Number.isNaN(time)) element.textContent = format.format(time);
}
