"""The data tree: what a store has, searched and chosen in the browser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import param
from panel.custom import JSComponent

from .desk import Held


class DataTree(JSComponent):
    """A tree of datasets with a search field; `chosen` are the names of those ticked."""

    items = param.List(default=[], doc="Datasets as lists: name, kind, units, words, records, from, to")
    chosen = param.List(default=[], doc="Names of chosen datasets, in the order of choice")

    _esm = """
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
    label.title = item[0] + '\\n' + item[3] + '\\n' + item[4].toLocaleString() + ' records, '
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
    const words = find.value.toLowerCase().split(/\\s+/).filter(Boolean);
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
"""
    _stylesheets = [
        """
.tree { font: 12.5px system-ui, sans-serif; width: 100%; }
.find { width: 100%; box-sizing: border-box; padding: 6px 8px; font-size: 13px; border: 1px solid #888; border-radius: 4px; }
.count { color: #666; padding: 4px 2px; }
.list { max-height: calc(100vh - 190px); min-height: 200px; overflow: auto; }
details { margin-left: 6px; } summary { cursor: pointer; padding: 2px 0; font-weight: 600; }
.leaf { display: block; margin-left: 18px; padding: 1px 0; cursor: pointer; overflow-wrap: anywhere; }
.leaf small { color: #666; } .leaf:hover { background: #eef4f8; }
input:focus-visible, summary:focus-visible { outline: 3px solid #e69f00; }
"""
    ]


def tree_of(held: Sequence[Held], chosen: Sequence[str], **options: Any) -> DataTree:
    """Return the tree of what a store has."""
    return DataTree(items=items_of(held), chosen=list(chosen), **options)


def items_of(held: Sequence[Held]) -> list[list[Any]]:
    """Return datasets as the browser's side of the tree takes them."""
    return [[h.name, h.kind, h.units, h.words, h.records, h.start, h.stop] for h in held]
