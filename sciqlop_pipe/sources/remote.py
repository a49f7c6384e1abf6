"""Remote: what a dataset is called on servers, beside the names of its files.

A dataset needs none of this to be found in folders, in web archives, or in CDAWeb: file names are
enough. Declare what names cannot tell: files that speasy knows under another name, variables that a
server gives without files (AMDA, SSCWeb, computed variables of CDAWeb), datasets of HAPI servers.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray as xr

    from .cdf import CdfFile

Adapter = Callable[["CdfFile"], "xr.Dataset"]


@dataclass(frozen=True, slots=True)
class Archived:
    """Files that speasy's inventory leads to, read with the source's own adapter.

    Parameters
    ----------
    product : str
        "cda/WI_H0_MFI", or "archive/" and the path of a YAML entry.
    """

    product: str

    @property
    def ids(self) -> tuple[str, ...]:
        """What servers call it."""
        return (self.product,)

    @property
    def door(self) -> str:
        """The word that opens it."""
        return f"speasy:{self.product.split('/')[0]}"


@dataclass(frozen=True, slots=True)
class Variables:
    """Variables that speasy gives decoded; the adapter sees them like those of a CDF file.

    Parameters
    ----------
    products : tuple of str
        speasy ids: "amda/imf", "ssc/wind", "cda/WI_H0_MFI/BGSE". A variable is called like the
        last part of its id, its time like speasy calls the axis.
    adapter : callable
        Reads them; the source's own adapter when None (names and units as in the files).
    piece : str
        Stretch of time of one request: "1d", "month".
    """

    products: tuple[str, ...]
    adapter: Adapter | None = None
    piece: str = "1d"

    @property
    def ids(self) -> tuple[str, ...]:
        """What servers call them."""
        return self.products

    @property
    def door(self) -> str:
        """The word that opens it."""
        return f"speasy:{self.products[0].split('/')[0]}"

    @property
    def prefix(self) -> str:
        """What the names of its pieces begin with."""
        return _prefix("speasy", self.products[0], (*self.products, self.piece))


@dataclass(frozen=True, slots=True)
class Hapi:
    """A dataset of a HAPI server; the adapter sees its parameters like variables of a CDF file.

    Parameters
    ----------
    dataset : str
        Its id in the server's catalog.
    parameters : tuple of str
        Which parameters; all when empty.
    server : str
        Only this server has it (address up to .../hapi); '' for any.
    adapter : callable
        Reads them; the source's own adapter when None.
    piece : str
        Stretch of time of one request: "1d", "month".
    """

    dataset: str
    parameters: tuple[str, ...] = ()
    server: str = ""
    adapter: Adapter | None = None
    piece: str = "1d"

    @property
    def ids(self) -> tuple[str, ...]:
        """What servers call it."""
        return (self.dataset,)

    @property
    def door(self) -> str:
        """The word that opens it; which server is for the user to say unless only one has it."""
        return f"hapi+{self.server or 'https://SERVER/hapi'}"

    @property
    def prefix(self) -> str:
        """What the names of its pieces begin with."""
        return _prefix("hapi", self.dataset, (self.dataset, *self.parameters, self.piece))


Remote = Archived | Variables | Hapi


def words_of(remotes: Iterable[Remote]) -> tuple[str, ...]:
    """Return the words that open some remotes, each once, in their order."""
    return tuple(dict.fromkeys(r.door for r in remotes))


def on_cdaweb(dataset: str, *parameters: str) -> tuple[Remote, ...]:
    """Return the doors of a dataset of CDAWeb: its files, and its parameters on HAPI servers.

    Parameters
    ----------
    dataset : str
        Its id, "AC_H0_MFI".
    parameters : str
        What the adapter reads of it. None where HAPI cannot give what it needs: tables that do
        not vary in time, or variables of several clocks (CDAWeb's server splits these).
    """
    files = Archived(f"cda/{dataset}")
    return (files, Hapi(dataset, parameters)) if parameters else (files,)


def from_csa(*variables: str) -> tuple[Remote, ...]:
    """Return the door to variables of the Cluster Science Archive, through speasy.

    Parameters
    ----------
    variables : str
        Their names, "B_mag__C1_CP_FGM_FULL": the second half is the dataset.
    """
    return (Variables(tuple(f"csa/{name.split('__')[1]}/{name}" for name in variables)),)


def _prefix(kind: str, name: str, facts: tuple[str, ...]) -> str:
    mark = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:8]
    return f"{kind}.{re.sub('[^A-Za-z0-9]+', '_', name)[:60]}.{mark}."
