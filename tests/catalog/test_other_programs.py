"""TSCat, speasy and astropy themselves read what we write; TSCat's own database is kept up to date."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sciqlop_pipe.catalog import Catalog, read_catalog, to_tscat, to_votable
from sciqlop_pipe.store.records import Event
from tests.catalog.test_exchange import a_catalog, same

pytestmark = pytest.mark.system


def python(folder: Path, script: str, *words: str) -> str:
    """Run a script in a process with a home of its own; return the last line that it printed."""
    home = {
        k: str(folder / "home")
        for k in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")
    }
    (folder / "home").mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", script, *words], capture_output=True, text=True, check=False,
        env=os.environ | home | {"SPEASY_PROXY_ENABLED": "false", "PYTHONPATH": str(Path.cwd())},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip().splitlines()[-1]


TSCAT = """
import json, sys, tscat
text = open(sys.argv[1]).read()
load, dump = (tscat.import_json, tscat.export_json)
made = load(text); tscat.save()
again = load(text)
votable = tscat.import_votable_str(open(sys.argv[2]).read()) if len(sys.argv) > 2 else []
open(sys.argv[1] + ".back", "w").write(dump(made))
print(json.dumps([len(made), len(again), [len(tscat.get_events(c)[0]) for c in made + votable]]))
"""


def test_tscat_takes_our_json_twice_and_gives_it_back_exactly(tmp_path: Path) -> None:
    pytest.importorskip("tscat", reason="TSCat comes with the extra 'catalogs'")
    file, table = tmp_path / "c.json", tmp_path / "c.xml"
    file.write_text(to_tscat(a_catalog()))
    # The VOTable has the same ids: as its own catalogue, of events that TSCat does not know yet.
    other = Catalog("other", tuple(
        Event(e.id[:-1] + ("0" if e.id[-1] != "0" else "1"), e.kind, e.start, e.stop, e.attributes)
        for e in a_catalog().events), {})  # fmt: skip
    table.write_text(to_votable(other))
    assert json.loads(python(tmp_path, TSCAT, str(file), str(table))) == [1, 0, [3, 3]]
    back = read_catalog((tmp_path / "c.json.back").read_text(), "x")
    by_id = {e.id: e for e in back.entries}
    for event in a_catalog().events:
        same(by_id[event.id].event, event)
        assert len(by_id[event.id].said) == len(a_catalog().verdicts.get(event.id, ()))


SPEASY = """
import json, sys, warnings
from speasy.core.impex.utils import load_catalog
from astropy.io.votable import parse
c = load_catalog(sys.argv[1])
t = parse(sys.argv[1]).get_first_table()
print(json.dumps([c.name.strip().rstrip(";"), len(c), str(c[1].start_time), c[0].meta["probability"],
                  len(t.array), str(t.array["Start Time"][0])]))
"""


def test_speasy_and_astropy_load_our_votable(tmp_path: Path) -> None:
    (tmp_path / "c.xml").write_text(to_votable(a_catalog()))
    name, count, start, probability, rows, first = json.loads(
        python(tmp_path, SPEASY, str(tmp_path / "c.xml"))
    )
    assert (name, count, rows, probability) == ("mms1.crossings", 3, 3, 0.25)
    assert start.startswith("2015-12-01 09:16:40") and first == "2015-12-01T09:00:00.000000"


PUSH = """
import json, datetime as dt, tscat
from dataclasses import asdict, replace
from sciqlop_pipe.catalog import pull, push
from sciqlop_pipe.store.records import Event
from tests.catalog.test_exchange import a_catalog
c = a_catalog()
steps = [push(c), push(c)]
ours = tscat.get_catalogues()[0]
by_id = {e.uuid: e for e in tscat.get_events(ours)[0]}
by_id[c.events[1].id].verdict = "reject"                       # a person judges one
by_id[c.events[2].id].stop = dt.datetime(2016, 1, 1)           # and moves another
new = [replace(e, attributes=(("probability", 0.5),)) for e in c.events]
steps.append(push(replace(c, events=tuple(new))))              # a better detector: other numbers
steps.append(push(replace(c, events=tuple(new[:2]))))          # that no longer finds one
found = {e.id: e for e in pull(c.dataset).entries}
print(json.dumps([[asdict(s) for s in steps], len(found), found[c.events[1].id].verdict,
                  found[c.events[2].id].stop, dict(found[c.events[0].id].attributes)]))
"""


def test_tscat_is_kept_up_to_date_and_people_are_left_alone(tmp_path: Path) -> None:
    pytest.importorskip("tscat", reason="TSCat comes with the extra 'catalogs'")
    steps, count, verdict, stop, attributes = json.loads(python(tmp_path, PUSH))
    first, again, better, fewer = steps
    assert (first["made"], again["same"], again["made"]) == (3, 3, 0)
    assert better["updated"] == 1 and len(better["edited"]) == 2
    assert fewer["superseded"] == 1 and count == 3
    assert verdict == "reject" and stop == 1451606400 * 10**9
    assert attributes == {"probability": 0.5}
