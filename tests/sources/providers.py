"""AMDA, CSA, SSCWeb and an archive of a YAML file on the loopback interface, for the real speasy.

Nothing of speasy is patched; it is led here by its own settings:

=========  =====================================================================================
`cda`      rule for rewriting addresses (`tests/sources/cdaweb.py`)
`amda`     `SPEASY_AMDA_ENTRY_POINT`
`ssc`      rule for rewriting addresses
`csa`      rule for its data; its inventory is asked with astroquery's TAP client, which no setting
           of speasy leads elsewhere. `SPEASY_PROXY_URL` gives the inventory instead
`archive`  `SPEASY_ARCHIVE_EXTRA_INVENTORY_LOOKUP_DIRS`
=========  =====================================================================================

Not here: speasy's `uiowaephtool` and `cdpp3dview` (no dataset uses them), and the TAP service.
"""

from __future__ import annotations

import io
import pickle
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.sources.cdaweb import DATASET, FOLDER, NEVER, rest, vectors, write_variable
from tests.sources.web import Fault, Web, page

DAY = "2020-01-01"
SPAN = ("2015-01-01T00:00:00Z", "2029-01-01T00:00:00Z")
SSC, CSA = "https://sscweb.gsfc.nasa.gov", "https://csa.esac.esa.int"
_SSC_SPACE = 'xmlns="http://sscweb.gsfc.nasa.gov/schema"'


@dataclass(frozen=True)
class Provider:
    """A product of one provider.

    `serve` lets a server answer for it and returns the path of the request that carries the data,
    with its right answer.
    """

    product: str
    serve: Callable[[Web, Path, pytest.MonkeyPatch], tuple[str, Fault]]
    units: str = "nT"

    @property
    def name(self) -> str:
        return self.product.split("/")[0]


def serve_cda(web: Web, root: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Fault]:
    monkeypatch.setenv("SPEASY_CDAWEB_PREFERRED_ACCESS_METHOD", "API")
    file = f"{FOLDER}/2020/lo_h0_mag_20200101_v01.cdf"
    call, answer = rest(web, file)
    web.faults[call] = [answer] * 99
    return f"/{file}", bytes_of((root / file).read_bytes())


def serve_amda(web: Web, root: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Fault]:
    monkeypatch.setenv("SPEASY_AMDA_ENTRY_POINT", web.address + "amda")
    trees = {
        "getObsDataTree": amda_tree("2024-01-01T00:00:00Z"),
        "getTimeTablesList": '<timeTableList name="none"/>',
        "getCatalogsList": '<catalogList name="none"/>',
    }
    for name, tree in trees.items():
        web.faults[f"/amda/php/rest/{name}.php*"] = [page(f"{web.address}amda/{name}.xml")] * 99
        web.faults[f"/amda/{name}.xml"] = [page(tree, "text/xml")] * 99
    web.faults["/amda/php/rest/auth.php*"] = [page("a-token")] * 99
    made = page(f'{{"success": true, "dataFileURLs": "{web.address}amda/out.cdf"}}')
    web.faults["/amda/php/rest/getParameter.php*"] = [made] * 99
    data = write_variable(root / "lo_b.cdf", DAY, 24, name="lo_b").read_bytes()
    return "/amda/out.cdf", bytes_of(data)


def amda_tree(modified: str) -> str:
    """Return AMDA's inventory with the one dataset, last modified then; "" leaves it out."""
    facts = f'dataStart="{SPAN[0]}" dataStop="{SPAN[1]}" lastModificationDate="{modified}"'
    known = f"""<dataset name="field" xml:id="lo-mag-all" {facts}>
<parameter name="b" xml:id="lo_b" units="nT"/></dataset>"""
    return f"""<dataRoot xml:id="myDataTree"><dataCenter name="AMDA" xml:id="DC">
<mission name="Loop" xml:id="lo"><instrument name="MAG" xml:id="lo-mag">{known if modified else ""}
</instrument></mission></dataCenter></dataRoot>"""


def serve_ssc(web: Web, root: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Fault]:
    there = f"""<ObservatoryResponse {_SSC_SPACE}><Observatory><Id>lo</Id><Name>Loop</Name>
<Resolution>3600</Resolution><StartTime>{SPAN[0]}</StartTime><EndTime>{SPAN[1]}</EndTime>
</Observatory></ObservatoryResponse>"""
    web.faults["/WS/sscr/2/observatories"] = [page(there, "application/xml")] * 99
    b = vectors(24)
    times = np.datetime64(DAY, "ms") + np.arange(24) * np.timedelta64(3_600_000, "ms")
    axes = "".join(f"<{a}>{v}</{a}>" for i, a in enumerate("XYZ") for v in b[:, i])
    body = f"""<Response {_SSC_SPACE}><Result><StatusCode>Success</StatusCode>
<StatusSubCode>Success</StatusSubCode><Data><Coordinates><CoordinateSystem>Gse</CoordinateSystem>
{axes}</Coordinates>{"".join(f"<Time>{t}Z</Time>" for t in times)}</Data></Result></Response>"""
    return "/WS/sscr/2/locations/lo/*", page(body, "application/xml")


def serve_csa(web: Web, root: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Fault]:
    monkeypatch.setenv("SPEASY_PROXY_ENABLED", "true")
    monkeypatch.setenv("SPEASY_PROXY_URL", web.address + "cache")
    dataset, name = "C1_CP_FGM_FULL", "B_vec_xyz_gse__C1_CP_FGM_FULL"
    variable = _index("ParameterIndex", name, f"{dataset}/{name}", dataset=dataset,
                      start_date=SPAN[0], stop_date=SPAN[1], UNITS="nT")  # fmt: skip
    known = _index("DatasetIndex", dataset, dataset, start_date=SPAN[0], stop_date=SPAN[1],
                   date_last_update="2024-01-01T00:00:00Z", field=variable)  # fmt: skip
    tree = _index("SpeasyIndex", "csa", "csa", build_date="2024-01-01T00:00:00+00:00",
                  Loop=_index("SpeasyIndex", "Loop", "Loop", dataset=known))  # fmt: skip
    web.faults["/cache/get_version"] = [page("99.0.0")] * 99
    web.faults["/cache/get_inventory*"] = [bytes_of(pickle.dumps(tree))] * 99
    # The proxy answers data with an error that speasy takes for no data: it must not be asked.
    data = write_variable(root / "csa.cdf", DAY, 24, name=name).read_bytes()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        info = tarfile.TarInfo(f"{dataset}/{dataset}__20200101.cdf")
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    return "/csa-sl-tap/data*", bytes_of(packed.getvalue())


def _index(kind: str, name: str, uid: str, **meta: Any) -> dict[str, Any]:
    about = {"__spz_type__": kind, "__spz_name__": name, "__spz_uid__": uid}
    return {**about, "__spz_provider__": "csa", **meta}


def serve_archive(web: Web, root: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Fault]:
    folder = root / "yaml"
    folder.mkdir(exist_ok=True)
    (folder / "loop.yaml").write_text(
        f"""LO_MAG:
  inventory_path: Loop/Mag
  url_pattern: {web.address}{FOLDER}/{{Y}}/lo_h0_mag_{{Y}}{{M:02d}}{{D:02d}}_v\\d+\\.cdf
  split_rule: regular
  split_frequency: daily
  use_file_list: true
  meta: {{start_date: "{SPAN[0]}", stop_date: "{SPAN[1]}", description: loop}}
  variables:
    B: {{meta: {{UNITS: nT, start_date: "{SPAN[0]}", stop_date: "{SPAN[1]}"}}}}
"""
    )
    monkeypatch.setenv("SPEASY_ARCHIVE_EXTRA_INVENTORY_LOOKUP_DIRS", str(folder))
    file = f"{FOLDER}/2020/lo_h0_mag_20200101_v01.cdf"
    return f"/{file}", bytes_of((root / file).read_bytes())


PROVIDERS = {
    p.name: p
    for p in (
        Provider(f"cda/{DATASET}/B", serve_cda),
        Provider("amda/lo_b", serve_amda),
        Provider("ssc/lo", serve_ssc, "km"),
        Provider("csa/C1_CP_FGM_FULL/B_vec_xyz_gse__C1_CP_FGM_FULL", serve_csa),
        Provider("archive/Loop/Mag/LO_MAG/B", serve_archive),
    )
}


def lead_speasy(monkeypatch: pytest.MonkeyPatch, web: Web, folder: Path) -> None:
    """Let speasy, in whatever process, ask the loopback server, and keep its own files here."""
    here = web.address.rstrip("/")
    rules = dict.fromkeys((*NEVER, SSC, CSA), here)
    monkeypatch.setenv("SPEASY_CORE_HTTP_REWRITE_RULES", repr(rules))
    monkeypatch.setenv("SPEASY_INDEX_PATH", str(folder / "index"))
    monkeypatch.setenv("SPEASY_CDAWEB_INVENTORY_DATA_PATH", str(folder / "inventory"))
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(folder / name))
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def bytes_of(data: bytes) -> Fault:
    """Answer with these bytes."""

    def fault(handler: Any) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)
        return True

    return fault
