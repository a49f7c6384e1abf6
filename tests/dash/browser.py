"""A real browser and a real server, for system tests of the dashboards."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import PATIENCE, answers, until

ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


def chromium() -> str:
    """Path of the browser; the test skips where there is none."""
    found = (
        shutil.which("chromium")
        or shutil.which("chromium-browser")
        or shutil.which("google-chrome")
    )
    if found is None:
        pytest.skip("no browser: Debian's package chromium is not installed")
    return found


@contextmanager
def serving(store: Path, *options: str, **environment: str) -> Iterator[str]:
    """Run `sciqlop-pipe dash` on a store; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-c",
        "from sciqlop_pipe.cli import main; main()",
        "dash",
        "--store",
        str(store),
        "--port",
        str(port),
        *options,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env=os.environ | environment) as server:  # fmt: skip
        url = f"http://127.0.0.1:{port}"
        try:
            until(lambda: server.poll() is not None or answers(f"{url}/"), "no dashboards")
            if server.poll() is not None:
                raise AssertionError(server.stdout.read() if server.stdout else "")
            yield url
        finally:
            server.send_signal(signal.SIGINT)
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()


@dataclass
class Watched:
    """A page of a browser, with what it complained of and which hosts it asked."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def open(self, url: str, *, until: str = "text=SciQLOP Pipe") -> Watched:
        self.page.goto(url)
        self.page.wait_for_selector(until)
        return self

    def settle(self) -> None:
        """Wait until nothing moves any more: the mouse finds what was measured before."""
        self.page.wait_for_function("window.Bokeh && Bokeh.documents[0].is_idle")
        self.page.wait_for_function(_AT_REST, polling=100)

    def text(self) -> str:
        """Everything that is to be read, also inside of components."""
        return self.page.evaluate(_TEXT)

    def says(self, *words: str) -> None:
        """Wait until the page has one of some words."""
        found = " || ".join(f"text.includes({w!r})" for w in words)
        self.page.wait_for_function(f"() => {{ const text = {_TEXT}; return {found} }}")

    def fine(self) -> None:
        assert self.complaints == []
        assert self.outside == []


#: Whether every canvas has been where it is, and as large, for half a second.
_AT_REST = """() => {
  const boxes = [];
  const walk = views => { for (const v of views) {
    if (v.frame) { const b = v.el.getBoundingClientRect(), f = v.frame.bbox;
      boxes.push([b.left, b.top, f.left, f.top, f.width, f.height].map(Math.round)); }
    walk(v.child_views || []); } };
  walk([...Bokeh.index]);
  const now = JSON.stringify([boxes, Bokeh.documents[0].is_idle]);
  if (now !== window.boxesBefore) { window.boxesBefore = now; window.restsSince = performance.now(); }
  return boxes.length > 0 && performance.now() - window.restsSince > 500;
}"""
_TEXT = """(() => {
  const out = [];
  const walk = node => {
    for (const n of node.childNodes) {
      if (n.nodeType === 3) { out.push(n.textContent); continue; }
      if (n.nodeType !== 1 || ['STYLE', 'SCRIPT'].includes(n.tagName)) continue;
      if (n.tagName === 'INPUT') out.push(n.value);
      if (n.shadowRoot) walk(n.shadowRoot);
      walk(n);
    }
  };
  walk(document.body); return out.join(' ');
})()"""


def watched(browser: Any) -> Watched:
    """A new user's page at laptop width."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(1000 * PATIENCE)
    seen = Watched(page)
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.on("console", lambda m: seen.complaints.append(m.text) if m.type == "error" else None)
    page.on(
        "request",
        lambda r: (
            seen.outside.append(r.url)
            if not r.url.startswith(
                ("http://127.0.0.1", "ws://127.0.0.1", "blob:", "data:", "file:")
            )
            else None
        ),
    )
    return seen
