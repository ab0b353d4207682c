/** axe-core in a world of its own: the policy of the page stops the inspector's script, as it should. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8');

/**
 * A way to run expressions beside the page, with `axe` at hand.
 * @returns `run(expression)`, `violations()`, `end()`
 */
export async function inspector(page, name = '') {
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send('Page.getFrameTree');
  const { executionContextId } = await session.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id });
  const run = async (expression) => {
    const { result, exceptionDetails } = await session.send('Runtime.evaluate', { contextId: executionContextId, expression, awaitPromise: true, returnByValue: true });
    assert.equal(exceptionDetails, undefined, `${name}: ${exceptionDetails?.exception?.description}`);
    return result.value;
  };
  await run(axe);
  return {
    run,
    violations: () => run(`axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
      .then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html, failureSummary }) => html + failureSummary).join()))`),
    end: () => session.detach(),
  };
}
