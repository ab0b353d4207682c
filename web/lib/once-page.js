/**
 * A form is sent once: a second click would cut off the answer to the first, and with it the
 * session that a code has just paid for. A button with `data-again` is answered with a file and
 * leaves the page where it is: it may be pressed again, and what comes after it too.
 */
const AGAIN_AFTER = 10_000;
/** @type {WeakMap<EventTarget, number>} */
const sent = new WeakMap();

addEventListener('submit', (event) => {
  const { target, submitter } = event;
  if (event.defaultPrevented || !(target instanceof HTMLFormElement) || submitter?.hasAttribute('data-again')) return;
  if (performance.now() - (sent.get(target) ?? -Infinity) < AGAIN_AFTER) event.preventDefault();
  else sent.set(target, performance.now());
});
// Come back to: it may be sent anew.
addEventListener('pageshow', (event) => {
  if (event.persisted) for (const form of document.forms) sent.delete(form);
});
