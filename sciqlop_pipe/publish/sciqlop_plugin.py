"""The entry point of `sciqlop.plugins`: what the speasy provider alone cannot show in SciQLOP.

Products with knobs, catalogs that can be judged, and sources for the viewer of distributions. The
store is the one that the speasy provider reads; a HAPI address has none of these.
"""

from __future__ import annotations

import getpass
import logging
from typing import Any

from ..graph import Graph
from ..store import Store
from .sciqlop_catalogs import PEOPLE, Shown, names, saved, shown
from .sciqlop_products import Drawn, KnobProduct, products, quiet
from .speasy_provider import configured

log = logging.getLogger(__name__)
VERDICT_WORDS = ("", "accept", "reject")


def load(main_window: Any) -> dict[str, Any]:
    """Add what a store has to SciQLOP; return what has to be kept alive."""
    address, _ = configured()
    if "://" in address:
        log.info("%s is a server: products with knobs and judging need a store", address)
        return {}
    with Store.open(address, read_only=True) as store:
        graph = Graph.discover()
        made = [_virtual(p) for p in products(address, store, graph)]
        there = names(store)
    return {"products": made, "catalogs": catalog_provider(address, there)}


def _virtual(product: KnobProduct) -> Any:
    from pydantic import Field, create_model
    from SciQLop.user_api.virtual_products import VirtualProductType, create_virtual_product

    fields: dict[str, Any] = {
        name: (kind, Field(default, **limits)) for name, (kind, default, limits) in
        product.knobs.items()
    }  # fmt: skip
    model = create_model("Knobs", **fields)
    compute = quiet(product, log.warning)

    def callback(start: float, stop: float, knobs: Any = None) -> Any:
        drawn = compute(start, stop, **(knobs or model()).model_dump())
        return None if drawn is None else variable_of(product, drawn)

    return create_virtual_product(
        product.path,
        callback,
        VirtualProductType[product.kind],
        labels=list(product.labels) or None,
        knobs_model=model,
    )


def variable_of(product: KnobProduct, drawn: Drawn) -> Any:
    """Return a product as a SpeasyVariable, whose units and scales SciQLOP draws."""
    from speasy.products import DataContainer, SpeasyVariable, VariableAxis, VariableTimeAxis

    name = product.path.rpartition("//")[2]
    axes: list[Any] = [VariableTimeAxis((drawn.time * 1e9).astype("datetime64[ns]"))]
    meta = {"UNITS": drawn.units, "DISPLAY_TYPE": "time_series", "SCALETYP": "linear"}
    if drawn.axis is not None:
        scale = "log" if drawn.logarithmic else "linear"
        words = {"UNITS": drawn.axis_units, "LABLAXIS": drawn.axis_name, "SCALETYP": scale}
        in_time = drawn.axis.ndim > 1
        axes.append(VariableAxis(drawn.axis, words, drawn.axis_name, in_time))
        meta |= {"DISPLAY_TYPE": "spectrogram", "SCALETYP": "log"}
    return SpeasyVariable(
        axes, DataContainer(drawn.values, meta, name), list(product.labels) or None
    )


def catalog_provider(address: str, there: list[str]) -> Any:
    """Return a provider of editable catalogs; saving one merges it into the store's history."""
    from SciQLop.components.catalogs.backend.provider import (
        Capability,
        CatalogEvent,
        CatalogProvider,
    )
    from SciQLop.components.catalogs.backend.provider import Catalog as Shelf

    from ..catalog import load_catalog

    class PipeCatalogs(CatalogProvider):
        """Catalogs of a store of SciQLOP Pipe."""

        def __init__(self) -> None:
            self._shelves: list[Any] = []
            super().__init__(name="SciQLOP Pipe", description=f"catalogs of {address}")
            for name in there:
                *path, last = name.split(".")
                self._shelves.append(Shelf(uuid=name, name=last, provider=self, path=path))
            for shelf in self._shelves:
                self._fill(shelf)
                self.catalog_added.emit(shelf)

        def catalogs(self) -> list[Any]:
            """Return all catalogs."""
            return list(self._shelves)

        def capabilities(self, catalog: Any = None) -> set[str]:
            """Return what a person may do: edit and add events, and save."""
            return {
                Capability.EDIT_EVENTS,
                Capability.CREATE_EVENTS,
                Capability.SAVE,
                Capability.SAVE_CATALOG,
            }

        def attribute_spec(self, catalog: Any, key: str) -> Any:
            """Return a choice of words for verdicts."""
            from SciQLop.core.knobs import ChoiceKnob, StringKnob

            if key == PEOPLE[0]:
                return ChoiceKnob(name=key, choices=VERDICT_WORDS, default="")
            if key == PEOPLE[1]:
                return StringKnob(name=key, default="")
            return super().attribute_spec(catalog, key)

        def _fill(self, shelf: Any) -> None:
            with Store.open(address, read_only=True) as store:
                events = shown(load_catalog(store, shelf.uuid))
            self._set_events(shelf, [CatalogEvent(e.id, e.start, e.stop, e.meta) for e in events])

        def _do_save(self) -> None:
            for shelf in self._shelves:
                if self.is_dirty(shelf):
                    self._do_save_catalog(shelf)

        def _do_save_catalog(self, catalog: Any) -> None:
            events = [Shown(e.uuid, e.start, e.stop, e.meta) for e in self.events(catalog)]
            with Store.open(address) as store:
                made = saved(store, catalog.uuid, events, getpass.getuser())
            for said in (*made.refused, *made.notes):
                log.warning("%s: %s", catalog.uuid, said)
            if made.refused:
                self.error_occurred.emit("; ".join(made.refused[:5]))

    return PipeCatalogs()
