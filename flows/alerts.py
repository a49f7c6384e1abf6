"""Telling people: a message to a web address, or a mail, as the environment says.

SCIQLOP_PIPE_ALERT_URL gets a POST with JSON `{"text": ...}` (what chat servers take).
SCIQLOP_PIPE_ALERT_MAIL is an address; the mail goes through SCIQLOP_PIPE_SMTP (host:port, default
localhost:25).
"""

from __future__ import annotations

import json
import logging
import os
import smtplib
import urllib.request
from email.message import EmailMessage
from typing import Any

_LOG = logging.getLogger("prefect.sciqlop_pipe.alerts")
_SECONDS = 15


def tell(subject: str, text: str) -> None:
    """Send a message wherever the environment says; a channel that fails is logged."""
    for channel in (_post, _mail):
        try:
            channel(subject, text)
        except (OSError, ValueError, smtplib.SMTPException) as error:
            _LOG.error("an alert could not be sent by %s: %s", channel.__name__.strip("_"), error)


def on_failure(flow: Any, flow_run: Any, state: Any) -> None:
    """Tell of a flow run that failed or crashed (a hook of Prefect)."""
    tell(f"{flow.name} {state.name.lower()}: {flow_run.name}", state.message or "no reason given")


def _post(subject: str, text: str) -> None:
    url = os.environ.get("SCIQLOP_PIPE_ALERT_URL")
    if not url:
        return
    if not url.startswith(("http://", "https://")):
        raise ValueError("SCIQLOP_PIPE_ALERT_URL is no http address")
    body = json.dumps({"text": f"SciQLOP Pipe: {subject}\n{text}"}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=_SECONDS).close()


def _mail(subject: str, text: str) -> None:
    to = os.environ.get("SCIQLOP_PIPE_ALERT_MAIL")
    if not to:
        return
    host, _, port = os.environ.get("SCIQLOP_PIPE_SMTP", "localhost:25").partition(":")
    message = EmailMessage()
    message["Subject"] = f"[SciQLOP Pipe] {subject}"
    message["From"], message["To"] = os.environ.get("SCIQLOP_PIPE_ALERT_FROM", to), to
    message.set_content(text)
    with smtplib.SMTP(host, int(port or 25), timeout=_SECONDS) as server:
        server.send_message(message)
