from __future__ import annotations

import pytest

from sciqlop_pipe.dash.state import MOST, View, parsed
from sciqlop_pipe.errors import UsageError
from sciqlop_pipe.granule import Interval
from sciqlop_pipe.graph import Graph

VIEW = View(
    ("mms1.a", "mms1.b_c.d"), Interval.of("2015-12-01", "2015-12-02"), ("m.events",), "1f3a92c0", 7
)


def test_a_view_survives_its_address():
    query = dict(pair.split("=") for pair in VIEW.query[1:].split("&"))
    assert parsed({k: [v.encode()] for k, v in query.items()}) == VIEW
    assert parsed({}) == View()
    assert View().query == ""


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"show": "<script>alert(1)</script>"}, "name of a dataset"),
        ({"show": "../../etc/passwd"}, "name of a dataset"),
        ({"show": "a'; drop table verdict; --"}, "name of a dataset"),
        ({"show": "a" * 9000}, "too long"),
        ({"show": ",".join(f"m.x{k}" for k in range(MOST + 1))}, "up to"),
        ({"from": "2015-01-01"}, "half of an interval"),
        ({"from": "2016-01-01", "to": "2015-01-01"}, "ends before"),
        ({"from": "javascript:1", "to": "2015-01-01"}, "not a time"),
        ({"from": "99999-01-01", "to": "2015-01-01"}, "not a time"),
        ({"event": "%' or 1=1"}, "id of an event"),
        ({"at": b"\xff\xfe"}, "not a time"),
    ],
)
def test_a_hostile_address_is_refused_by_a_sentence_that_does_not_repeat_it(query, says):
    with pytest.raises(UsageError, match=says) as refused:
        parsed({k: [v if isinstance(v, bytes) else v.encode()] for k, v in query.items()})
    assert "<" not in str(refused.value) and "drop" not in str(refused.value)


@pytest.mark.parametrize(
    ("options", "token", "writes"),
    [
        ({}, "", True),
        ({"address": "0.0.0.0"}, "", False),
        ({"address": "0.0.0.0"}, "secret", True),
        ({"address": "0.0.0.0", "login": True}, "", True),
        ({"read_only": True}, "", False),
    ],
)
def test_off_the_machine_nobody_writes_without_a_login_or_token(
    store, tmp_path, monkeypatch, options, token, writes
):
    from sciqlop_pipe.cli import dash_app

    monkeypatch.setenv("SCIQLOP_PIPE_DASH_TOKEN", token)
    monkeypatch.setattr(dash_app, "discover", lambda: Graph.of([]))
    served = []
    monkeypatch.setattr(
        "sciqlop_pipe.dash.app.serve", lambda desk, how, _: served.append((desk, how))
    )
    users = tmp_path / "users.json"
    users.write_text('{"ana": "word"}')
    given = {"address": "127.0.0.1", "read_only": False} | options
    login = str(users) if given.pop("login", False) else ""
    dash_app.dash(str(store.root), "", given["address"], 5006, login, given["read_only"], [], [])
    ((desk, how),) = served
    assert (desk.refusal == "") is writes
    assert (desk.access.refuse(token) == "") is writes
    assert how.login == login and len(how.secret) >= 32


def test_a_file_of_logins_or_a_link_that_means_nothing_is_refused(store, tmp_path, monkeypatch):
    from sciqlop_pipe.cli import dash_app

    monkeypatch.setattr(dash_app, "discover", lambda: Graph.of([]))
    (tmp_path / "users.json").write_text("[]")
    with pytest.raises(UsageError, match="logins"):
        dash_app.dash(
            str(store.root), "", "127.0.0.1", 1, str(tmp_path / "users.json"), False, [], []
        )
    with pytest.raises(UsageError, match="not a link"):
        dash_app.dash(str(store.root), "", "127.0.0.1", 1, "", False, [], ["x=javascript:alert(1)"])
