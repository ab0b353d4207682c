/** Codes of a page without a server: made up, and good for nothing. */
const element = document.querySelector('recovery-codes');
const said = document.getElementById('said');
await Promise.all(['recovery-codes', 'recovery-code-input'].map((name) => customElements.whenDefined(name)));

element.addEventListener('recovery-codes-confirm', () => element.confirmed());
element.batch = {
  product: 'Fernhill Library',
  account: 'alice@example.com',
  generation: 1,
  issuedOn: new Date().toLocaleDateString(document.documentElement.lang, { dateStyle: 'long' }),
  url: location.href.split('#')[0],
  codes: ['AAAA-AAAA-AAAA-AAA3', 'KZ3M-Q7TB-WJ5R-HXYN', 'ABCD-EFGH-IJKL-MNOI'].map((code, at) => ({ number: at + 1, code })),
};

document.querySelector('form').addEventListener('submit', (event) => {
  // Only a complete code comes here: what is wrong with any other was said at the field.
  event.preventDefault();
  said.textContent = 'That is a code. A server would say now whether it is one of yours.';
});
