export function render({model, el}) {
  const root = document.createElement('div'); root.className = 'tree';
  const find = document.createElement('input');
  find.type = 'search'; find.placeholder = 'Search (press /): mms1 spectrum'; find.className = 'find';
  find.setAttribute('aria-label', 'Search datasets');
  const count = document.createElement('div'); count.className = 'count'; count.setAttribute('aria-live', 'polite');
  const list = document.createElement('div'); list.className = 'list'; list.setAttribute('role', 'group');
  list.setAttribute('aria-label', 'Datasets');
  root.append(find, count, list);
  const open = new Set();
  function matches(item, words) {
    const text = [item[0], item[1], item[2], item[3]].join(' ').toLowerCase();
    return words.every(w => text.includes(w));
  }
  function toggle(name, on) {
    const rest = model.chosen.filter(n => n !== name);
    model.chosen = on ? [...rest, name] : rest;
  }
  function leaf(item, word) {
    const label = document.createElement('label'); label.className = 'leaf';
    const box = document.createElement('input'); box.type = 'checkbox';
    box.checked = model.chosen.includes(item[0]); box.value = item[0];
    box.onchange = () => toggle(item[0], box.checked);
    const text = document.createElement('span'); text.textContent = word;
    const kind = document.createElement('small');
    kind.textContent = ' ' + item[1] + (item[2] ? ' [' + item[2] + ']' : '');
    label.title = item[0] + '\n' + item[3] + '\n' + item[4].toLocaleString() + ' records, '
      + item[5].slice(0, 16) + ' to ' + item[6].slice(0, 16);
    label.append(box, text, kind); return label;
  }
  function branch(items, depth, prefix, all) {
    const holder = document.createElement('div');
    const groups = new Map();
    for (const item of items) {
      const parts = item[0].split('.');
      const rest = parts.slice(depth);
      const key = rest.length === 1 ? null : rest[0];
      if (key === null) { holder.append(leaf(item, rest[0])); continue; }
      if (!groups.has(key)) groups.set(key, []);
      groups.get(key).push(item);
    }
    for (const [key, inside] of groups) {
      let path = prefix + key + '.', word = key, at = depth + 1;
      while (inside.every(i => i[0].split('.').length > at + 1 && i[0].split('.')[at] === inside[0][0].split('.')[at])) {
        word += ' · ' + inside[0][0].split('.')[at]; path += inside[0][0].split('.')[at] + '.'; at += 1;
      }
      const details = document.createElement('details');
      details.open = all || open.has(path) || inside.some(i => model.chosen.includes(i[0]));
      details.ontoggle = () => details.open ? open.add(path) : open.delete(path);
      const summary = document.createElement('summary');
      summary.textContent = word + ' (' + inside.length + ')';
      details.append(summary, branch(inside, at, path, all)); holder.append(details);
    }
    return holder;
  }
  function draw() {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = model.items.filter(i => matches(i, words));
    count.textContent = model.items.length ? found.length + ' of ' + model.items.length + ' datasets, '
      + model.chosen.length + ' shown' : 'This store holds no datasets yet';
    list.replaceChildren(branch(found, 0, '', words.length > 0 || found.length < 9));
  }
  find.oninput = draw;
  model.on('items', draw); model.on('chosen', draw);
  document.addEventListener('keydown', event => {
    const real = event.composedPath()[0];
    if (event.key === '/' && !(real instanceof HTMLInputElement || real instanceof HTMLTextAreaElement)) {
      event.preventDefault(); find.focus();
    }
  });
  draw();
  return root;
}
