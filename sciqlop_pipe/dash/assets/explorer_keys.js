document.addEventListener('keydown', event => {
  const real = event.composedPath()[0];
  if (real instanceof HTMLInputElement || real instanceof HTMLTextAreaElement || real instanceof HTMLSelectElement) return;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const a = range.start, b = range.end, w = b - a;
  const set = (x, y) => { event.preventDefault(); range.setv({start: x, end: y}); };
  if (event.key === 'ArrowLeft') set(a - w / 4, b - w / 4);
  else if (event.key === 'ArrowRight') set(a + w / 4, b + w / 4);
  else if (event.key === '+' || event.key === '=') set(a + w / 4, b - w / 4);
  else if (event.key === '-') set(a - w / 2, b + w / 2);
});
