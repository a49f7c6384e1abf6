"""The tables of the registry. Times are nanoseconds since 1970 UTC, as everywhere."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    text,
)

FORMAT = 3

metadata = MetaData()

store_info = Table(
    "store_info",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", Text, nullable=False),
)

#: Facts about a granule that was written once; only `path` and `collected` ever change (gc).
granule = Table(
    "granule",
    metadata,
    Column("uid", String, primary_key=True),
    Column("dataset", String, nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("stop", BigInteger, nullable=False),
    Column("first", BigInteger),
    Column("last", BigInteger),
    Column("n", BigInteger, nullable=False),
    Column("fingerprint", String, nullable=False),
    Column("content", String, nullable=False),
    Column("path", String),
    Column("nbytes", BigInteger, nullable=False),
    Column("layout", String),
    Column("code", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("params", Text, nullable=False),
    Column("inputs", String, nullable=False),
    Column("quality", Text, nullable=False),
    Column("completeness", Float, nullable=False),
    Column("waits_for", Text, nullable=False),
    Column("run", String),
    Column("written", BigInteger, nullable=False),
    Column("collected", BigInteger),
    Index("granule_dataset", "dataset", "start"),
)

layout = Table(
    "layout",
    metadata,
    Column("digest", String, primary_key=True),
    Column("signature", String, nullable=False),
    Column("json", Text, nullable=False),
)

#: When a granule was the truth: [tx_from, tx_to), open while it still is.
currency = Table(
    "currency",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("uid", String, nullable=False),
    Column("dataset", String, nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("stop", BigInteger, nullable=False),
    Column("tx_from", BigInteger, nullable=False),
    Column("tx_to", BigInteger),
    Index("currency_uid", "uid"),
    Index(
        "currency_open",
        "dataset",
        "start",
        unique=True,
        sqlite_where=text("tx_to IS NULL"),
        postgresql_where=text("tx_to IS NULL"),
    ),
    Index("currency_dataset", "dataset", "start", "tx_from"),
)

lineage = Table(
    "lineage",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("uid", String, nullable=False),
    Column("argument", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("name", String, nullable=False),
    Column("start", BigInteger),
    Column("ref", String, nullable=False),
    Column("content", String, nullable=False),
    Index("lineage_uid", "uid"),
    Index("lineage_ref", "ref"),
)

#: Inputs a granule was found to be unchanged for, besides those it was made from.
verified = Table(
    "verified",
    metadata,
    Column("uid", String, primary_key=True),
    Column("inputs", String, primary_key=True),
)

attempt = Table(
    "attempt",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("dataset", String, nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("stop", BigInteger, nullable=False),
    Column("run", String),
    Column("state", String, nullable=False),
    Column("error", Text),
    Column("detail", Text),
    Column("host", String),
    Column("seconds", Float),
    Column("at", BigInteger, nullable=False),
    Index("attempt_granule", "dataset", "start"),
    Index("attempt_run", "run"),
)

run = Table(
    "run",
    metadata,
    Column("id", String, primary_key=True),
    Column("started", BigInteger, nullable=False),
    Column("finished", BigInteger),
    Column("command", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("state", String, nullable=False),
)

#: Reprocessing campaigns: what they were asked for and what was frozen (JSON), and how they stand.
campaign = Table(
    "campaign",
    metadata,
    Column("name", String, primary_key=True),
    Column("frozen", Text, nullable=False),
    Column("digest", String, nullable=False),
    Column("state", String, nullable=False),
    Column("asked", String, nullable=False),
    Column("why", Text, nullable=False),
    Column("holder", String, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Column("progress", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
)

campaign_run = Table(
    "campaign_run",
    metadata,
    Column("run", String, primary_key=True),
    Column("campaign", String, nullable=False),
    Index("campaign_run_campaign", "campaign"),
)

#: What people decided about granules that fail: "retry" forgets failures before, "excused" goes on
#: without.
decision = Table(
    "decision",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("campaign", String, nullable=False),
    Column("dataset", String, nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("decided", String, nullable=False),
    Column("why", Text, nullable=False),
    Column("author", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("decision_campaign", "campaign"),
)

staged = Table(
    "staged",
    metadata,
    Column("stage", String, primary_key=True),
    Column("dataset", String, primary_key=True),
    Column("start", BigInteger, primary_key=True),
    Column("stop", BigInteger, nullable=False),
    Column("uid", String, nullable=False),
    Column("replaces", Text, nullable=False),
)

publication = Table(
    "publication",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("stage", String, nullable=False),
    Column("tx", BigInteger, nullable=False),
    Column("undone", BigInteger),
)

release = Table(
    "release",
    metadata,
    Column("name", String, primary_key=True),
    Column("tx", BigInteger, nullable=False),
)

#: What a release holds, as JSON: hashes, versions, citations.
manifest = Table(
    "manifest",
    metadata,
    Column("release", String, primary_key=True),
    Column("digest", String, nullable=False),
    Column("json", Text, nullable=False),
)

lease = Table(
    "lease",
    metadata,
    Column("dataset", String, primary_key=True),
    Column("start", BigInteger, primary_key=True),
    Column("holder", String, nullable=False),
    Column("expires", BigInteger, nullable=False),
)

#: Events belong to a granule that has no path; they are current while it is.
event = Table(
    "event",
    metadata,
    Column("uid", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("dataset", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("stop", BigInteger, nullable=False),
    Column("attributes", Text, nullable=False),
    Index("event_id", "id"),
)

succession = Table(
    "succession",
    metadata,
    Column("old", String, primary_key=True),
    Column("new", String, primary_key=True),
    Column("tx", BigInteger, nullable=False),
)

verdict = Table(
    "verdict",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("event", String, nullable=False),
    Column("dataset", String, nullable=False),
    Column("author", String, nullable=False),
    Column("verdict", String, nullable=False),
    Column("start", BigInteger),
    Column("stop", BigInteger),
    Column("comment", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)

#: What people changed of an event besides its times: an attribute, before and after (JSON).
edit = Table(
    "edit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("event", String, nullable=False),
    Column("dataset", String, nullable=False),
    Column("author", String, nullable=False),
    Column("name", String, nullable=False),
    Column("was", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("edit_dataset", "dataset"),
)

model = Table(
    "model",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False),
    Column("content", String, nullable=False),
    Column("path", String, nullable=False),
    Column("card", Text, nullable=False),
    Column("tx_from", BigInteger, nullable=False),
    Column("tx_to", BigInteger),
)
