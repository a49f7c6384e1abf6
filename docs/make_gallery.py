"""Make docs/gallery.md and its pictures from real data: `python docs/make_gallery.py`.

Words make only those sections anew whose titles hold one of them: `make_gallery.py Cluster MMS`.
Needs the folder of mission files beside the repository (SCIQLOP_PIPE_TEST_DATA names another one).
What each mission offers is asked of the graph, so a new product has its picture the next time.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from PIL import Image

from sciqlop_pipe.errors import PipeError
from sciqlop_pipe.granule import Interval
from sciqlop_pipe.graph import Graph
from sciqlop_pipe.publish.quicklook import draw_interval
from sciqlop_pipe.standard import is_overview
from sciqlop_pipe.store import Store

DOCS = Path(__file__).resolve().parent
SIM = "simulated"
LARGEST = 150_000
"""Bytes of a picture."""


@dataclass(frozen=True)
class Section:
    """Datasets of one interval, one picture each; `archive` is a folder of the data, or SIM."""

    title: str
    words: str
    targets: tuple[str, ...]
    start: str
    stop: str
    archive: str
    once: bool = False
    options: tuple[str, ...] = ()

    @property
    def interval(self) -> Interval:
        """Return what is drawn."""
        return Interval.of(self.start, self.stop)


SECTIONS = (
    Section(
        "MMS: a burst through the bow shock",
        "Ions of MMS1 (FPI/DIS), 150 ms, 2020-11-19. No magnetic field is at hand for this "
        "burst, so what needs one is shown on the other missions; planes are those of the frame.",
        ("mms1.fpi.dis.brst.*",),
        "2020-11-19T23:34:30", "2020-11-19T23:36:35", "mms/burst_20201119",
    ),
    Section(
        "MMS: temperatures along the magnetic field",
        "The archive's moments of a magnetopause crossing (MMS1, 2015-10-16) in the field of FGM: "
        "DBCS and DMPA are 0.05 degrees apart.",
        ("mms1.fpi.dis.brst.moms_field_aligned",),
        "2015-10-16T13:05:24", "2015-10-16T13:07:45", "mms/burst_20151016",
    ),
    Section(
        "Cluster: distributions in the magnetic field",
        "Ions of Cluster 1 (CIS/HIA), 12 s, 2001-07-31, with the field of FGM turned from GSE to "
        "ISR2.",
        ("cluster1.cis.hia.hs_mag.*",),
        "2001-07-31T20:14:20", "2001-07-31T20:16:40", "cluster/vdf_20010731",
    ),
    Section(
        "Cluster: waves of an internal burst",
        "Search coil, electric field and background of Cluster 2 (EFW, FGM), 2007-04-10: a weak "
        "right-handed whistler at 145 to 176 Hz from 11:20:19 to 11:20:20. Only two components of "
        "E were measured; the third has E . B = 0.",
        ("cluster2.efw.burst.*",),
        "2007-04-10T11:20:16", "2007-04-10T11:20:28", "cluster/waves",
    ),
    Section(
        "Cluster: ions, both fields and four spacecraft",
        "Moments on board (CIS/HIA, a spin each), E with E . B = 0 (EFW) and B (FGM), all in GSE, "
        "2001-07-31.",
        ("cluster1.cis.hia.plasma_parameters", "cluster1.cis.hia.convection_field",
         "cluster1.cis.hia.electric_field_in_plasma", "cluster1.cis.hia.de_hoffmann_teller",
         "cluster1.efw.l2.exb_drift", "cluster.fgm.full.current",
         "cluster.fgm.full.energy_conversion"),
        "2001-07-31T20:14:17", "2001-07-31T20:16:17", "cluster/vdf_20010731",
    ),
    Section(
        "MMS: fields through the magnetopause",
        "The magnetic field of MMS1 (FGM burst) on 2015-10-16, in other frames, and its variance.",
        ("mms1.fgm.brst.*", "mms1.fpi.dis.brst.plasma_parameters",
         "mms1.fpi.dis.brst.convection_field", "mms1.fpi.dis.brst.de_hoffmann_teller",
         "mms1.fpi.dis.brst.elsasser_*"),
        "2015-10-16T13:05:24", "2015-10-16T13:07:45", "mms/burst_20151016",
    ),
    Section(
        "MMS: a current from ions and electrons",
        "J = e n (Vi - Ve) of the moments of FPI (MMS2, 2017-07-26), averaged over 150 ms of ions. "
        "The file of ions before it is truncated, hence `--salvage`.",
        ("mms2.fpi.dis.brst.current",),
        "2017-07-26T07:31:13", "2017-07-26T07:32:13", "mms/burst_20170726", options=("--salvage",),
    ),
    Section(
        "MMS: four spacecraft",
        "Currents, gradients and the tetrahedron in the turbulent magnetosheath of 2016-12-09.",
        ("mms.fgm.brst.*",),
        "2016-12-09T09:00:54", "2016-12-09T09:02:30", "mms/burst_20161209_4sc",
    ),
    Section(
        "Parker Solar Probe: where the wind comes from",
        "Spiral angles, Carrington longitude and the ballistic way back to the Sun, 2020-01-01.",
        ("psp.spc.solar_connection",),
        "2020-01-01T00:00", "2020-01-01T02:00", "psp",
    ),
    Section(
        "Parker Solar Probe: waves",
        "Spectrum and polarization of the field, 9 samples a second far from the Sun. The narrow "
        "lines at 2 and 3 Hz do not follow the proton cyclotron frequency: no waves of the plasma.",
        ("psp.fields.mag.full.wave_*",),
        "2020-01-01T00:00", "2020-01-01T02:00", "psp",
    ),
    Section(
        "What no real file at hand can show",
        "The **simulated** mission (`sim`), whose truth is known: products that need inputs which "
        "the real files above lack.",
        ("sim.ion.*", "sim.fgm.*", "sim.mec.*", "sim.edp.*", "sim.scm.b_merged", "sim.four.*",
         "sim.plasma_state", "sim.region_labels"),
        "2030-01-01T00:00", "2030-01-01T00:24", SIM, once=True,
    ),
    Section(
        "Passages of a bow shock",
        "The **simulated** mission again: normals by six methods, of which those of magnetic "
        "coplanarity and minimum variance suffer from the turbulence behind the shock.",
        ("sim.ion.shock_passages",),
        "2030-01-01T03:38", "2030-01-01T04:08", SIM, once=True,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """A picture that was made."""

    name: str
    words: str
    file: str


def main() -> None:
    """Run every section into a store of its own, draw, and write the page."""
    data = Path(os.environ.get("SCIQLOP_PIPE_TEST_DATA", DOCS.parent.parent / "shared" / "data"))
    if not data.is_dir():
        sys.exit(f"no mission files: {data} is not a folder (SCIQLOP_PIPE_TEST_DATA names another)")
    pictures = DOCS / "images" / "gallery"
    pictures.mkdir(parents=True, exist_ok=True)
    kept = _kept(sys.argv[1:])
    for old in pictures.glob("*.png"):
        if not any(f"images/gallery/{old.name})" in part for part in kept.values()):
            old.unlink()
    graph = Graph.discover()
    kinds: set[str] = set()
    parts = [HEAD]
    with tempfile.TemporaryDirectory() as folder:
        for k, section in enumerate(SECTIONS):
            if section.title in kept:
                parts.append(kept[section.title])
                kinds |= {_kind(n) for n in re.findall(r"^### `(.*)`$", parts[-1], re.MULTILINE)}
                continue
            names = [n for n in _names(graph, section) if not section.once or _kind(n) not in kinds]
            archive = _archive(section, data, Path(folder))
            store = Path(folder) / f"store{k}"
            _run(section, names, archive, store)
            shown = list(_draw(graph, section, names, store, pictures))
            kinds |= {_kind(s.name) for s in shown}
            parts.append(_page(section, shown, names))
    (DOCS / "gallery.md").write_text("\n".join(parts))
    print(f"{len(list(pictures.glob('*.png')))} pictures: {DOCS / 'gallery.md'}")


def _kept(words: list[str]) -> dict[str, str]:
    """Return the parts of the page as it is that stay, by title: those without any of the words."""
    if not words:
        return {}
    page = re.split(r"^(?=## )", (DOCS / "gallery.md").read_text(), flags=re.MULTILINE)[1:]
    parts = {part.partition("\n")[0][3:]: part.rstrip("\n") + "\n" for part in page}
    return {t: part for t, part in parts.items() if not any(w in t for w in words)}


HEAD = """# Gallery

One picture per product. Everything here is made by

    python docs/make_gallery.py

with the commands beside the pictures; `DATA` is a folder of mission files, `STORE` any folder.
Colours are viridis and those of Okabe and Ito, which all eyes tell apart (signed numbers: purple to
orange); white is no data, the darkest violet is measured and zero.
"""


def _names(graph: Graph, section: Section) -> list[str]:
    """Products that a section draws: neither events nor overviews nor what files hold already."""
    return sorted(
        d.name
        for mission in graph.missions
        for d in mission.datasets
        if any(fnmatch(d.name, t) for t in section.targets)
        and (not d.is_raw or d.gives.name == "VDF")
        and not (d.gives.in_sql or is_overview(d.name))
    )


def _kind(name: str) -> str:
    return name.rpartition(".")[2]


def _archive(section: Section, data: Path, folder: Path) -> Path:
    if section.archive != SIM:
        return data / section.archive
    made = folder / "archive"
    words = ["--out", str(made), "--start", section.start, "--hours", "0.5", "--seed", "1",
             "--extras"]  # fmt: skip
    subprocess.run([sys.executable, "-m", "sciqlop_missions.sim", *words], check=True)
    return made


def _run(section: Section, names: list[str], archive: Path, store: Path) -> None:
    tool = Path(sys.executable).with_name("sciqlop-pipe")
    span = ["--start", section.start, "--stop", section.stop]
    where = ["--archive", str(archive), "--store", str(store), "--workers", "0", "--keep",
             *section.options]  # fmt: skip
    # 1 and 3: some products failed or could not be made, for want of a file: no picture of them.
    done = subprocess.run([str(tool), "run", *names, *span, *where], check=False)
    if done.returncode not in (0, 1, 3):
        sys.exit(f"{section.title}: the run ended with {done.returncode}")


def _draw(
    graph: Graph, section: Section, names: list[str], folder: Path, pictures: Path
) -> Iterator[Shown]:
    with Store.open(folder, read_only=True) as store:
        for name in names:
            file = pictures / f"{name}.png"
            try:
                draw_interval(store, [name], section.interval, file)
            except PipeError as error:
                print(f"no picture of {name}: {error}")
                continue
            _small(file)
            yield Shown(name, graph[name].description, f"images/gallery/{file.name}")


def _small(file: Path) -> None:
    """Make a picture small enough for a page: fewer pixels only if fewer colours do not do."""
    with Image.open(file) as image:
        image = image.convert("RGB")
    for width in (1400, 1100, 900, 700):
        scaled = image.resize((width, round(image.height * width / image.width)), Image.LANCZOS)
        # Of colours that few pixels have, the ends of a bar for one, none is lost.
        few = scaled.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few.save(file, optimize=True)
        if file.stat().st_size <= LARGEST:
            return


def _page(section: Section, shown: list[Shown], names: list[str]) -> str:
    made = {s.name for s in shown}
    span = f"--start {section.start} --stop {section.stop} --store STORE"
    archive = "SIM" if section.archive == SIM else f"DATA/{section.archive}"
    targets = " ".join(f"'{t}'" if "*" in t else t for t in section.targets)
    lines = [f"## {section.title}", "", section.words, ""]
    if section.archive == SIM:
        made_by = f"--start {section.start} --hours 0.5 --seed 1 --extras"
        lines += [f"    python -m sciqlop_missions.sim --out SIM {made_by}"]
    lines += [f"    sciqlop-pipe run {targets} {span} --archive {archive} --keep"
              + "".join(f" {o}" for o in section.options), ""]  # fmt: skip
    for s in shown:
        lines += [f"### `{s.name}`", "", s.words, "", f"![{s.name}]({s.file})", "",
                  f"    sciqlop-pipe quicklook {s.name} {span} -o picture.png", ""]  # fmt: skip
    if missing := [n for n in names if n not in made]:
        lines += ["Without a picture here, as their inputs are not at hand for this interval: "
                  + ", ".join(f"`{n}`" for n in missing) + ".", ""]  # fmt: skip
    return "\n".join(lines)


if __name__ == "__main__":
    main()
