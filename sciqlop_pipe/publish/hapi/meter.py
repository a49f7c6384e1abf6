"""What a server has done so far, in the text format that Prometheus reads."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Meter:
    """Counts of answers, bytes and seconds since the server began."""

    began: float = field(default_factory=time.time)
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)
    nbytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answered(self, endpoint: str, code: int, seconds: float) -> None:
        """Count an answer."""
        with self._lock:
            self.answers[endpoint, code] += 1
            self.seconds[endpoint] += seconds  # type: ignore[assignment]

    def sent(self, nbytes: int) -> None:
        """Count bytes of data."""
        with self._lock:
            self.nbytes += nbytes

    def text(self, gauges: dict[str, float]) -> str:
        """Return all of it, and some values of now by name."""
        with self._lock:
            answers, seconds = sorted(self.answers.items()), sorted(self.seconds.items())
        lines = ["# TYPE sciqlop_pipe_requests_total counter"]
        lines += [
            f'sciqlop_pipe_requests_total{{endpoint="{e}",code="{c}"}} {n}' for (e, c), n in answers
        ]
        lines.append("# TYPE sciqlop_pipe_request_seconds_total counter")
        lines += [f'sciqlop_pipe_request_seconds_total{{endpoint="{e}"}} {s:.6f}'
                  for e, s in seconds]  # fmt: skip
        lines += ["# TYPE sciqlop_pipe_sent_bytes_total counter",
                  f"sciqlop_pipe_sent_bytes_total {self.nbytes}"]  # fmt: skip
        now = {"uptime_seconds": time.time() - self.began, "resident_bytes": resident()} | gauges
        for name, value in now.items():
            lines += [f"# TYPE sciqlop_pipe_{name} gauge", f"sciqlop_pipe_{name} {value:g}"]
        return "\n".join(lines) + "\n"


def resident() -> float:
    """Return the memory of this process [bytes], 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0.0
    return pages * 4096.0
