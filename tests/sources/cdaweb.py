"""A CDAWeb on the loopback interface: inventory, masters, listings, files and the REST call.

speasy is led to it by its own setting for rewriting addresses, nothing is patched.
"""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pycdfpp

from tests.sources.web import Fault, Web, page

DATASET = "LO_H0_MAG"
FOLDER = "pub/data/loop/mag"
NEVER = ("https://cdaweb.gsfc.nasa.gov", "https://spdf.gsfc.nasa.gov")


def write_day(root: Path, day: str, version: str = "01", *, offset: float = 0.0) -> Path:
    """Write a file of one day: 24 hourly vectors `B` [nT]."""
    folder = root / FOLDER / day[:4]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"lo_h0_mag_{day.replace('-', '')}_v{version}.cdf"
    return write_variable(path, day, 24, offset)


def write_variable(path: Path, day: str, n: int, offset: float = 0.0, *, name: str = "B") -> Path:
    """Write a CDF with n hourly vectors [nT] as ISTP has them."""
    time = np.datetime64(day, "ns") + np.arange(n) * np.timedelta64(1, "h").astype("m8[ns]")
    cdf = pycdfpp.CDF()
    cdf.checksum = pycdfpp.Checksum.md5_checksum
    about = {"TITLE": "loop", "Logical_source": "lo_h0_mag", "Mission_group": "LOOP",
             "Source_name": "LO>Loop", "PI_name": "nobody", "Data_version": "1"}  # fmt: skip
    for key, value in about.items():
        cdf.add_attribute(key, [value])
    kind = pycdfpp.DataType.CDF_TIME_TT2000
    cdf.add_variable("Epoch", time, kind, attributes={
        "CATDESC": "time", "FIELDNAM": "Epoch", "UNITS": "ns", "VAR_TYPE": "support_data",
        "LABLAXIS": "time"})  # fmt: skip
    cdf.add_variable("B_label", np.array(["Bx", "By", "Bz"]), is_nrv=True, attributes={
        "CATDESC": "labels", "FIELDNAM": "labels", "VAR_TYPE": "metadata"})  # fmt: skip
    cdf.add_variable(name, vectors(n, offset), attributes={
        "CATDESC": "field", "FIELDNAM": name, "UNITS": "nT", "VAR_TYPE": "data",
        "DISPLAY_TYPE": "time_series", "DEPEND_0": "Epoch", "LABL_PTR_1": "B_label",
        "FILLVAL": [np.float32(-1e31)]})  # fmt: skip
    pycdfpp.save(cdf, str(path))
    return path


def vectors(n: int, offset: float = 0.0) -> np.ndarray:
    """What `B` holds: (n, 3)."""
    return (np.arange(n)[:, None] + np.array([0, 100, 200]) + offset).astype("f4")


def make_cdaweb(root: Path) -> None:
    """Write inventory, masters and an empty archive."""
    masters = root / "pub/software/cdawlib/0MASTERS"
    masters.mkdir(parents=True)
    (root / "pub/catalogs").mkdir(parents=True)
    (root / FOLDER).mkdir(parents=True)
    name = "lo_h0_mag_00000000_v01.cdf"
    data = write_variable(masters / name, "2015-01-01", 2).read_bytes()
    with tarfile.open(masters / "master.tar", "w") as tar:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    site = NEVER[0]
    (root / "pub/catalogs/all.xml").write_text(
        f"""<?xml version="1.0"?><sites xmlns="cdas"><datasite ID="CDAWeb_HTTPS">
<dataset serviceprovider_ID="{DATASET}" timerange_start="2015-01-01 00:00:00"
 timerange_stop="2029-01-01 00:00:00"><description short="loop"/>
<mission_group serviceprovider_ID="LOOP"/><observatory serviceprovider_ID="LO"/>
<instrument serviceprovider_ID="MAG"/>
<mastercdf serviceprovider_ID="{site}/pub/software/cdawlib/0MASTERS/{name}"/>
<access type="FTP" filenaming="lo_h0_mag_%Y%m%d_v%Q.cdf" subdividedby="%Y">
<URL>{site}/{FOLDER}</URL></access></dataset></datasite></sites>"""
    )


def rest(web: Web, file: str) -> tuple[str, Fault]:
    """Return address and answer of the REST calls for `B`: the address of a file."""
    text = json.dumps({"FileDescription": [{"Name": web.address + file}]})
    path = f"/WS/cdasr/1/dataviews/sp_phys/datasets/{DATASET}/data/*"
    return path, page(text, "application/json")
