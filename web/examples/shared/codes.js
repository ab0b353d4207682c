/** Asks the host for codes, shows them, and tells the host when they are saved. */
const element = document.querySelector('recovery-codes');
const make = document.getElementById('make');
const status = document.getElementById('status');

/** A JSON body: no other site's form can send one. @param {string} path @param {object} body */
const post = (path, body) => fetch(path, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
}).catch(() => undefined);

await customElements.whenDefined('recovery-codes');
make.addEventListener('click', async () => {
  const answer = await post('/codes', {});
  if (!answer?.ok) {
    status.textContent = 'That did not work. Please try again in a moment.';
    return;
  }
  element.batch = await answer.json();
  make.hidden = true;
  status.textContent = '';
});

element.addEventListener('recovery-codes-confirm', async ({ generation }) => {
  const answer = await post(`/codes/${generation}/activate`, {});
  if (answer?.ok) element.confirmed();
  else if (answer) element.refused('refused');
  else element.refused('network');
});
