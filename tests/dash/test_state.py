from __future__ import annotations

import pytest

from sciqlop_pipe.dash.state import MOST, View, parsed
from sciqlop_pipe.errors import UsageError
from sciqlop_pipe.granule import Interval

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
