"""What is in view, taken away: picture, tables, the Python that reproduces it, what to cite."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import panel as pn
import xarray as xr

from ..errors import PipeError, UsageError
from ..granule import iso
from ..graph import Graph
from ..publish.citing import citation, text
from ..publish.istp.files import excerpt
from ..publish.quicklook import draw_interval
from ..store import Store
from .chrome import html, said, say
from .desk import Desk
from .state import View
from .words import safe, sentence

MOST = 2_000_000
"""Values of one export."""


def opened(store: Store, view: View) -> dict[str, xr.Dataset]:
    """Return what is in view at full resolution, by name; values are not read yet.

    Raises
    ------
    UsageError
        When nothing is shown, or it is more than one download takes.
    """
    if view.interval is None or not view.show:
        raise UsageError("nothing is shown, so there is nothing to export")
    found: dict[str, xr.Dataset] = {}
    total = 0
    for name in view.show:
        ds = store.read(name, view.interval.start, view.interval.stop)
        total += sum(int(a.size) for a in ds.data_vars.values())
        if total > MOST:
            raise UsageError(
                f"this is more than one download takes ({MOST:,} values)",
                name,
                "Zoom in, or read it in Python as shown below",
            )
        found[name] = ds
    return found


def to_csv(ds: xr.Dataset) -> str:
    """Return a dataset as CSV: a row per record, a column per number, units in the heading."""
    columns: dict[str, np.ndarray] = {}
    for name, array in ds.data_vars.items():
        if array.dims[:1] != ("time",):
            continue
        units = f" [{array.attrs['units']}]" if array.attrs.get("units", "1") != "1" else ""
        flat = array.values.reshape(array.sizes["time"], -1)
        for k in range(flat.shape[1]):
            part = f"_{_place(array, k)}" if array.ndim > 1 else ""
            columns[f"{name}{part}{units}"] = flat[:, k]
    out = io.StringIO()
    out.write(",".join(['"time [UTC]"', *(f'"{c}"' for c in columns)]) + "\n")
    times = np.datetime_as_string(ds["time"].values.astype("datetime64[ns]"), unit="ns")
    for k, when in enumerate(times):
        out.write(",".join([when, *(f"{v[k]:.9g}" for v in columns.values())]) + "\n")
    return out.getvalue()


def _place(array: xr.DataArray, k: int) -> str:
    """Return where a number lies in the dimensions besides time: "x", "3", "0_5"."""
    at = np.unravel_index(k, array.shape[1:])
    words = []
    for dim, i in zip(array.dims[1:], at, strict=True):
        labels = array[dim].values if dim in array.coords else None
        words.append(str(labels[i]) if labels is not None and labels.dtype.kind in "UO" else str(i))
    return "_".join(words)


def to_netcdf(ds: xr.Dataset) -> bytes:
    """Return a dataset as a NetCDF file."""
    plain = ds.copy()
    for name in (*plain.data_vars, *plain.coords):
        plain[name].attrs = {k: _simple(v) for k, v in plain[name].attrs.items()}
        plain[name].encoding = {}
    plain.attrs = {k: _simple(v) for k, v in plain.attrs.items()}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "data.nc"
        plain.to_netcdf(file)
        return file.read_bytes()


def _simple(value: Any) -> Any:
    if isinstance(value, (str, int, float, np.ndarray, np.generic)):
        return value
    numbers = isinstance(value, (list, tuple)) and all(isinstance(v, (int, float)) for v in value)
    return np.asarray(value) if numbers and len(value) else str(value)


WRITERS: dict[str, Callable[[xr.Dataset], bytes]] = {
    "csv": lambda ds: to_csv(ds).encode(),
    "nc": to_netcdf,
}


def export(store: Store, graph: Graph, view: View, suffix: str) -> tuple[str, bytes]:
    """Return the name and the bytes of a file with what is in view: several become a zip.

    A CDF file is one of ISTP, named as published files are.
    """
    found = opened(store, view)
    if suffix == "cdf" and view.interval is not None:
        made = dict(excerpt(store, graph, name, view.interval) for name in found)
    else:
        made = {f"{name}.{suffix}": WRITERS[suffix](ds.load()) for name, ds in found.items()}
    if len(made) == 1:
        ((name, data),) = made.items()
        return name, data
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in made.items():
            archive.writestr(name, data)
    return f"view-{suffix}.zip", out.getvalue()


def picture(store: Store, view: View) -> bytes:
    """Return what is in view as the PNG that `sciqlop-pipe quicklook` draws."""
    if view.interval is None or not view.show:
        raise UsageError("nothing is shown, so there is nothing to draw")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "view.png"
        draw_interval(store, (*view.show, *view.events), view.interval, file)
        return file.read_bytes()


def program(url: str, registry: str, view: View) -> str:
    """Return the Python that reads and draws what is in view."""
    if view.interval is None or not view.show:
        return "# Nothing is shown yet."
    more = f", registry={registry!r}" if registry else ""
    start, stop = iso(view.interval.start), iso(view.interval.stop)
    lines = [
        "from pathlib import Path",
        "",
        "import xarray as xr",
        "",
        "from sciqlop_pipe.granule import Interval",
        "from sciqlop_pipe.publish.quicklook import draw_interval",
        "from sciqlop_pipe.store import Store",
        "",
        f"url, names = {url!r}, {[*view.show, *view.events]!r}",
        f"start, stop = {start!r}, {stop!r}",
        "",
        f"with Store.open(url, read_only=True{more}) as store:",
        '    draw_interval(store, names, Interval.of(start, stop), Path("view.png"))',
        "",
    ]
    for k, name in enumerate(view.show):
        lines.append(
            f'ds{k} = xr.open_dataset(url, engine="sciqlop", dataset={name!r}, '
            f"time=slice(start, stop){more})"
        )
    return "\n".join(lines) + "\n"


def cited(desk: Desk, view: View) -> str:
    """Return whom to cite for what is in view.

    Raises
    ------
    PipeError
        When nothing is shown, or no mission declares what is.
    """
    if not view.show:
        raise UsageError("nothing is shown, so there is nothing to cite")
    return text(citation(desk.graph, view.show, desk.store(), view.interval))


def export_bar(desk: Desk, view: Callable[[], View]) -> pn.Column:
    """Return the row of buttons under the panels."""
    problem = said()
    shown = html("")

    def download(
        label: str, name: str, made: Callable[[], tuple[str, bytes]]
    ) -> pn.widgets.FileDownload:
        def callback() -> io.BytesIO:
            try:
                button.filename, data = made()
                say(problem, "")
            except Exception as error:  # noqa: BLE001 - said on the page
                say(problem, sentence(error))
                button.filename, data = "nothing.txt", sentence(error).encode()
            return io.BytesIO(data)

        button = pn.widgets.FileDownload(
            callback=callback,
            filename=name,
            label=label,
            embed=False,
            width=110,
            button_style="outline",
        )
        return button

    def python(_: Any) -> None:
        shown.object = f"<pre>{safe(program(desk.url, desk.registry, view()))}</pre>"

    def cite(_: Any) -> None:
        try:
            shown.object = f"<pre>{safe(cited(desk, view()))}</pre>"
        except PipeError as error:
            say(problem, sentence(error))

    def exported(suffix: str) -> tuple[str, bytes]:
        return export(desk.store(), desk.graph, view(), suffix)

    buttons = [
        download("PNG", "view.png", lambda: ("view.png", picture(desk.store(), view()))),
        *(
            download(word, f"view.{suffix}", partial(exported, suffix))
            for word, suffix in (("CSV", "csv"), ("NetCDF", "nc"), ("CDF", "cdf"))
        ),
        pn.widgets.Button(label="Python", width=90, button_style="outline", on_click=python),
        pn.widgets.Button(label="What to cite", width=120, button_style="outline", on_click=cite),
    ]
    return pn.Column(pn.Row(*buttons), problem, shown, sizing_mode="stretch_width")
