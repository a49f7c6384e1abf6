document.addEventListener('keydown', event => {
  const real = event.composedPath()[0];
  if (real instanceof HTMLInputElement || real instanceof HTMLTextAreaElement || real instanceof HTMLSelectElement) return;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const word = words[event.key];
  if (!word) return;
  const all = [];
  const walk = node => { for (const e of node.querySelectorAll('*')) { if (e.tagName === 'BUTTON') all.push(e); if (e.shadowRoot) walk(e.shadowRoot); } };
  walk(document);
  const button = all.find(b => b.textContent.trim() === word);
  if (button) { event.preventDefault(); button.click(); }
});
