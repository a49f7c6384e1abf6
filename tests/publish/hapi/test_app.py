"""Caching, compression, bounds and refusals of the server, without a network."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sciqlop_pipe.publish.hapi.limits import Limits, Rate, Turns
from sciqlop_pipe.publish.hapi.status import HapiError
from sciqlop_pipe.store import Store
from tests import builders
from tests.publish.hapi.running import ANY, Here, app_of
from tests.publish.served import NAMES, hour, put, served_store

SPAN = "start=2020-11-19T23Z&stop=2020-11-20T01Z"
DATA = f"/hapi/data?dataset={NAMES['moments']}&{SPAN}"


@pytest.fixture(scope="module")
def here(served: Path) -> Iterator[Here]:
    with app_of(served) as app:
        yield Here(app)


@pytest.mark.parametrize("path", [DATA, f"{DATA}&format=binary", "/hapi/catalog"])
def test_an_answer_that_the_client_has_is_not_sent_again(here: Here, path: str) -> None:
    first = here.get(path)
    tag, date = first.headers["etag"], first.headers["last-modified"]
    for headers in ({"if_none_match": tag}, {"if_none_match": f'"x", W/{tag}'},
                    {"if_modified_since": date}):  # fmt: skip
        again = here.get(path, **headers)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
    assert here.get(path, if_none_match='"other"').status_code == 200
    old = "Mon, 01 Jan 2001 00:00:00 GMT"
    assert here.get(path, if_modified_since=old).content == first.content
    assert here.get(path, if_modified_since="nonsense").status_code == 200
    both = here.get(path, if_none_match='"other"', if_modified_since=date)
    assert both.status_code == 200  # the tag counts


def test_different_questions_have_different_tags(here: Here) -> None:
    paths = [DATA, f"{DATA}&format=binary", f"{DATA}&include=header", f"{DATA}&parameters=density"]
    tags = {here.get(p, accept_encoding="identity").headers["etag"] for p in paths}
    tags.add(here.get(DATA, accept_encoding="gzip").headers["etag"])
    assert len(tags) == 5


def test_a_commit_changes_tags_and_what_comes(tmp_path: Path) -> None:
    from sciqlop_pipe.datatypes import Moments

    root = served_store(tmp_path, hours=1)
    with app_of(root) as app, Store.open(root, durable=False) as store:
        before = Here(app).get(f"/hapi/info?dataset={NAMES['moments']}")
        assert "T23:00" in before.json()["startDate"]
        other = Here(app).get(f"/hapi/info?dataset={NAMES['vector']}").headers["etag"]
        put(store, NAMES["moments"], Moments, builders.moments(hour(1)), 1)
        after = Here(app).get(
            f"/hapi/info?dataset={NAMES['moments']}", if_none_match=before.headers["etag"]
        )
        assert after.status_code == 200
        assert after.json()["stopDate"] > before.json()["stopDate"]
        assert Here(app).get(f"/hapi/info?dataset={NAMES['vector']}").headers["etag"] == other


@pytest.mark.parametrize("form", ["csv", "binary", "json"])
def test_gzip_is_the_same_and_smaller(here: Here, form: str) -> None:
    plain = here.get(f"{DATA}&format={form}", accept_encoding="identity")
    packed = here.get(f"{DATA}&format={form}", accept_encoding="gzip")
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == "accept-encoding"
    assert packed.content == plain.content  # httpx has unpacked it
    assert here.get(DATA, accept_encoding="gzip;q=0").headers.get("content-encoding") is None
    assert gzip.decompress(gzip.compress(plain.content)) == plain.content


def test_head_has_no_body_and_options_says_what_is_allowed(here: Here) -> None:
    for path in (DATA, "/hapi/catalog", "/hapi/info?dataset=nobody"):
        assert here.get(path, "HEAD").content == b""
        assert here.get(path, "HEAD").status_code == here.get(path).status_code
    assert here.get(DATA, "OPTIONS").headers["access-control-allow-methods"].startswith("GET")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE"])
def test_it_only_reads(here: Here, method: str) -> None:
    answer = here.get(DATA, method)
    assert (answer.status_code, answer.json()["status"]["code"]) == (405, 1400)
    assert "GET" in answer.headers["allow"]


def test_an_answer_too_large_is_refused_with_what_would_do(served: Path) -> None:
    with app_of(served, Limits(nbytes=4000)) as app:
        answer = Here(app).get(DATA)
        assert answer.json()["status"]["code"] == 1408
        assert "MB" in answer.json()["status"]["message"]
        assert Here(app).get(f"{DATA}&parameters=density").status_code == 200
        said = Here(app).get(f"/hapi/info?dataset={NAMES['moments']}").json()
        assert said["maxRequestDuration"].startswith("PT")


def test_an_interval_too_long_is_refused(served: Path) -> None:
    with app_of(served, Limits(seconds=3600)) as app:
        assert Here(app).get(DATA).json()["status"]["code"] == 1408
        hour_ = DATA.replace("2020-11-20T01Z", "2020-11-20Z")
        assert Here(app).get(hour_).status_code == 200


def test_blocks_do_not_change_what_comes(
    here: Here, served: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sciqlop_pipe.publish.hapi import library

    forms = ["csv", "binary", "json"]
    whole = [here.get(f"{DATA}&format={f}").content for f in forms]
    monkeypatch.setattr(library, "BLOCK_BYTES", 1000)
    assert [here.get(f"{DATA}&format={f}").content for f in forms] == whole


def test_requests_wait_for_a_place_and_are_told_when_there_is_none() -> None:
    async def main() -> None:
        turns = Turns(replace(ANY, streams=1, waiting=1, patience=0.5))
        await turns.take()
        with pytest.raises(HapiError) as late:
            await turns.take()
        assert (late.value.http, late.value.retry_after) == (503, 5)
        turns = Turns(replace(ANY, streams=1, waiting=1, patience=60))
        await turns.take()
        waits = asyncio.ensure_future(turns.take())
        await asyncio.sleep(0.01)
        with pytest.raises(HapiError) as full:
            await turns.take()
        assert full.value.http == 503
        turns.give()
        await waits
        assert (turns.taken, turns.waiting) == (1, 0)

    asyncio.run(main())


def test_one_address_may_ask_so_often_and_others_do_not_suffer() -> None:
    now = [0.0]
    rate = Rate(Limits(rate=10, burst=3), clock=lambda: now[0], addresses=2)
    for _ in range(3):
        rate.check("a")
    with pytest.raises(HapiError) as refused:
        rate.check("a")
    assert refused.value.http == 503
    rate.check("b")
    now[0] = 0.1
    rate.check("a")
    rate.check("c")
    assert len(rate._buckets) == 2


def test_a_refusal_that_may_pass_says_when(served: Path) -> None:
    with app_of(served, Limits(rate=0.001, burst=1)) as app:
        assert Here(app).get("/hapi/catalog").status_code == 200
        busy = Here(app).get("/hapi/catalog")
        assert (busy.status_code, busy.headers["retry-after"]) == (503, "5")
        assert busy.json()["status"]["code"] == 1500
        assert Here(app).get("/health").status_code == 200  # those who look after it are let in


def test_places_are_given_back_whatever_happens(served: Path) -> None:
    with app_of(served, replace(ANY, streams=2, patience=0.2)) as app:
        here = Here(app)
        for path in [
            DATA,
            f"{DATA}&parameters=no",
            f"{DATA}&format=x",
            DATA + "0",
            "/hapi/catalog",
        ]:
            for _ in range(3):
                here.get(path)
                here.get(path, "HEAD")
        here.get(DATA, if_none_match=here.get(DATA).headers["etag"])
        assert (app.turns.taken, app.turns.waiting) == (0, 0)


def test_a_store_that_breaks_is_a_500_without_a_trace(
    here: Here, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret /path")

    monkeypatch.setattr(here.app.library, "open", broken)
    answer = here.get(DATA)
    assert (answer.status_code, answer.json()["status"]["code"]) == (500, 1500)
    assert "secret" not in answer.text
    assert "secret" in caplog.text
    assert here.app.turns.taken == 0


def test_an_answer_that_breaks_in_the_middle_does_not_look_whole(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sciqlop_pipe.publish.hapi import encode

    def broken(*_: object) -> bytes:
        raise OSError("the disk is gone")

    monkeypatch.setattr(encode, "csv", broken)
    with pytest.raises(OSError, match="disk"):
        _whole(here, DATA)
    assert here.app.turns.taken == 0


def _whole(here: Here, path: str) -> None:
    """Send a request straight to the application, whose errors the server would turn into a cut."""
    target, _, query = path.partition("?")
    scope = {"type": "http", "method": "GET", "path": target, "query_string": query.encode(),
             "headers": [], "client": ("here", 1)}  # fmt: skip

    async def receive() -> dict[str, object]:
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def send(_: object) -> None: ...

    asyncio.run(here.app(scope, receive, send))


def test_health_and_metrics_are_for_machines(here: Here) -> None:
    here.get(DATA)
    assert here.get("/health").json()["status"] == "ok"
    text = here.get("/metrics").text
    assert 'sciqlop_pipe_requests_total{endpoint="data",code="200"}' in text
    sent = next(x for x in text.splitlines() if x.startswith("sciqlop_pipe_sent_bytes_total"))
    assert int(sent.split()[1]) > 0
    assert (
        float(next(x for x in text.splitlines() if "resident" in x and x[0] != "#").split()[1]) > 0
    )


def test_health_says_when_the_registry_is_gone(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    from sciqlop_pipe.errors import StoreError

    def gone() -> str:
        raise StoreError("the registry is gone", "/secret/place")

    monkeypatch.setattr(here.app.library, "tx", gone)
    answer = here.get("/health")
    assert answer.status_code == 503
    assert "secret" not in answer.text


def test_the_page_escapes_what_it_shows_and_loads_nothing(here: Here) -> None:
    from sciqlop_pipe.publish.hapi.page import landing

    text = landing("<b>T</b>", "<script>", [])
    assert "<script>." not in text
    assert "<b>T" not in text
    page = here.get("/hapi/")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "src=" not in page.text
    assert NAMES["moments"] in page.text


def test_numbers_go_out_exactly(tmp_path: Path) -> None:
    from sciqlop_pipe.datatypes import ScalarSeries

    odd = np.array([1e-45, -0.0, 3.4e38, np.inf, -np.inf, np.nan, 0.1], np.float32)
    ds = builders.scalar_series(hour(0, records=odd.size), odd)
    root = tmp_path / "store"
    with Store.open(root, create=True, durable=False) as store, app_of(root) as app:
        put(store, "a1.odd", ScalarSeries, ds)
        url = "/hapi/data?dataset=a1.odd&start=2020-11-19T23Z&stop=2020-11-20Z"
        rows = [line.split(",")[1] for line in Here(app).get(url).text.splitlines()]
        assert rows[-2] == "NaN"
        np.testing.assert_array_equal(np.array(rows, np.float64).astype(np.float32), odd)
        data = Here(app).get(f"{url}&format=json").json()["data"]
        values = np.array([np.nan if v is None else v for _, v in data], np.float64)
        np.testing.assert_array_equal(values.astype(np.float32), odd)
