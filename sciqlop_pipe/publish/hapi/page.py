"""The landing page: what there is, how to get it; one file without anything from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from string import Template

from ... import __version__
from ...granule import iso
from ...store.records import Extent
from . import VERSION

_PAGE = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>$title</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root { color-scheme: light dark; --ink: #1c2733; --soft: #5b6b7a; --line: #d8dfe6; --back: #fff;
  --shade: #f4f7f9; --accent: #0b62a4; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9fb0bf; --line: #2c3844;
  --back: #12181e; --shade: #1a222a; --accent: #6db7f2; } }
* { box-sizing: border-box } body { margin: 0; background: var(--back); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif }
main { max-width: 72rem; margin: 0 auto; padding: 2rem 1.2rem 4rem }
h1 { margin: 0 0 .2rem; font-size: 1.7rem } p.lead { margin: 0 0 1.4rem; color: var(--soft) }
a { color: var(--accent) } code, pre { font: 13px/1.5 ui-monospace, monospace }
pre { background: var(--shade); border: 1px solid var(--line); border-radius: 6px; padding: .8rem;
  overflow: auto }
input { width: 100%; padding: .55rem .7rem; margin: 1rem 0 .6rem; font: inherit; color: inherit;
  background: var(--shade); border: 1px solid var(--line); border-radius: 6px }
.scroll { overflow-x: auto } table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .45rem .6rem; border-bottom: 1px solid var(--line);
  vertical-align: top } th { color: var(--soft); font-weight: 600 }
td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
td small { color: var(--soft) } td.when { white-space: nowrap }
</style></head><body><main>
<h1>$title</h1>
<p class="lead">$description. A <a href="https://hapi-server.org">HAPI</a> $version server:
<a href="/hapi/capabilities">capabilities</a> · <a href="/hapi/about">about</a> ·
<a href="/hapi/catalog">catalog</a> · <a href="/health">health</a> ·
<a href="/metrics">metrics</a></p>
<pre>from hapiclient import hapi
server = "<span class="here">http://HOST/hapi</span>"
data, meta = hapi(server, "$example", "", "$start", "$stop")</pre>
<input id="words" placeholder="Filter $count datasets by words" aria-label="Filter datasets">
<div class="scroll"><table><thead><tr><th>dataset</th><th>from</th><th>to</th><th>records</th>
<th></th></tr></thead><tbody>
$rows
</tbody></table></div>
<p><small>SciQLOP Pipe $code</small></p>
</main><script>
for (const e of document.querySelectorAll(".here")) e.textContent = location.origin + "/hapi";
const rows = [...document.querySelectorAll("tbody tr")].map(r => [r, r.textContent.toLowerCase()]);
document.getElementById("words").addEventListener("input", e => {
  const words = e.target.value.toLowerCase().split(/\\s+/);
  for (const [r, t] of rows) r.hidden = !words.every(w => t.includes(w));
});
</script></body></html>
""")


def landing(title: str, description: str, datasets: Sequence[tuple[Extent, str]]) -> str:
    """Return the page of a server.

    Parameters
    ----------
    title, description : str
        What the server is.
    datasets : sequence of (Extent, str)
        What it has, and each in words.
    """
    example = next((e for e, _ in datasets if e.records), None)
    known = example.dataset if example else "DATASET"
    start, stop = _day(example) if example else ("START", "STOP")
    return _PAGE.substitute(
        title=escape(title),
        description=escape(description),
        version=VERSION,
        example=escape(known),
        start=start,
        stop=stop,
        count=len(datasets),
        rows="\n".join(_row(e, words) for e, words in datasets),
        code=escape(__version__),
    )


def _day(extent: Extent) -> tuple[str, str]:
    return f"{iso(extent.interval.start)}Z", f"{iso(extent.interval.stop)}Z"


def _row(extent: Extent, words: str) -> str:
    name = escape(extent.dataset)
    start, stop = _day(extent)
    lazy = not extent.records and not extent.events
    count = "when asked for" if lazy else f"{extent.records:,}"
    kind = "events" if extent.events else "data"
    url = f"/hapi/data?dataset={name}&amp;start={start}&amp;stop={stop}"
    return (
        f"<tr><td><b>{name}</b><br><small>{escape(words)}</small></td>"
        f'<td class="when">{start}</td><td class="when">{stop}</td><td class="n">{count}</td>'
        f'<td class="when"><a href="/hapi/info?dataset={name}">info</a> '
        f'<a href="{url}">{kind}</a></td></tr>'
    )
