/** The ways out of the page: clipboard, file, paper. Each says whether it worked. */

/**
 * Called in the click itself: browsers want the clipboard asked for while the click lasts.
 * @param {string} text
 * @returns {Promise<boolean>}
 */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Refused, or no clipboard at all outside of a secure context.
    return false;
  }
}

/**
 * @param {string} text
 * @param {string} filename
 */
export function download(text, filename) {
  try {
    const url = URL.createObjectURL(new Blob([text], { type: 'text/plain;charset=utf-8' }));
    const link = document.createElement('a');
    link.href = url;
    link.download = filename;
    link.click();
    // Not at once: some browsers read it after the click.
    setTimeout(() => URL.revokeObjectURL(url), 1000);
    return true;
  } catch {
    return false;
  }
}

export function print() {
  try {
    window.print();
    return true;
  } catch {
    // Not every browser on a phone has it.
    return false;
  }
}

/** @param {Element} element */
export function select(element) {
  getSelection()?.selectAllChildren(element);
}
