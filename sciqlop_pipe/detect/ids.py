"""Names of events that come out the same wherever and whenever the event is found."""

from __future__ import annotations

import hashlib
import json
import uuid


def event_id(dataset: str, kind: str, start: int, stop: int, model: str) -> str:
    """Return the id of an event: a digest in the shape of a version-4 UUID (RFC 9562).

    Catalog tools accept version 4 only; random ids would make every rerun new events.

    Parameters
    ----------
    dataset : str
        Name of the dataset of events.
    kind : str
        What it is.
    start, stop : int
        Nanoseconds since 1970 UTC.
    model : str
        Content hash of the model, "" where none was used.
    """
    facts = json.dumps([dataset, kind, int(start), int(stop), model]).encode()
    digest = hashlib.blake2b(facts, digest_size=16, person=b"sciqlop-event").digest()
    return str(uuid.UUID(bytes=digest, version=4))
