"""Deployment files are valid by the schema or linter of whatever reads them, and name what exists."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT

DEPLOY = ROOT / "deploy"
BIN = Path(sys.executable).parent


def said(*command: str | Path) -> str:
    """Run a linter; return what it complains of, '' if it is content."""
    if not Path(command[0]).exists():
        pytest.skip(f"{Path(command[0]).name} is not installed (extra `test`)")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_compose_follows_its_schema() -> None:
    schema = ("--builtin-schema", "vendor.compose-spec")
    assert said(BIN / "check-jsonschema", *schema, DEPLOY / "compose.yaml") == ""


def test_the_schema_refuses_a_wrong_word(tmp_path: Path) -> None:
    """Negative control of the test above."""
    wrong = tmp_path / "compose.yaml"
    wrong.write_text((DEPLOY / "compose.yaml").read_text().replace("restart:", "restarts:"))
    assert said(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", wrong)


def test_compose_opens_ports_to_this_machine_only_and_holds_no_password() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    ports = [p for s in compose["services"].values() for p in s.get("ports", [])]
    assert ports and all(p.startswith("127.0.0.1:") for p in ports)
    text = (DEPLOY / "compose.yaml").read_text()
    assert re.findall(r"PASSWORD: (.*)", text) == ["${POSTGRES_PASSWORD:?choose one}"]


def test_the_image_is_linted_and_does_not_run_as_root() -> None:
    assert said(BIN / "hadolint", "--failure-threshold", "warning", DEPLOY / "Dockerfile") == ""
    users = re.findall(r"^USER (.*)$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    assert users == ["1000"]


def test_the_image_copies_what_exists() -> None:
    sources = re.findall(
        r"^COPY (?!--from)(.*)$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE
    )
    names = [w for line in sources for w in line.split()[:-1] if not w.startswith("--")]
    assert "flows" in names
    assert [n for n in names if not (ROOT / n).exists()] == []


@pytest.mark.parametrize("file", sorted(DEPLOY.glob("kubernetes/*.yaml")), ids=lambda p: p.name)
def test_manifests_follow_the_schemas_of_kubernetes(file: Path) -> None:
    assert said(BIN / "kubernetes-validate", "--strict", file) == ""


@pytest.mark.parametrize("file", sorted(DEPLOY.rglob("*.sbatch")), ids=lambda p: p.name)
def test_batch_scripts_are_linted(file: Path) -> None:
    assert said(BIN / "shellcheck", file) == ""


@pytest.mark.parametrize("file", sorted(DEPLOY.glob("systemd/*.service")), ids=lambda p: p.name)
def test_units_are_verified(file: Path, tmp_path: Path) -> None:
    """With programs in the place of those that an installation has."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here")
    text = file.read_text().replace("/opt/sciqlop-pipe/.venv/bin/", f"{tmp_path}/")
    for name in ("prefect", "sciqlop-pipe"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    copied = tmp_path / file.name
    copied.write_text(text)
    for other in DEPLOY.glob("systemd/*.service"):
        if other.name != file.name:
            shutil.copy(other, tmp_path)
    done = subprocess.run(
        ["systemd-analyze", "verify", copied], capture_output=True, text=True, check=False,
        env=os.environ | {"SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
    )  # fmt: skip
    mine = [line for line in done.stderr.splitlines() if file.name in line]
    assert mine == []


def test_every_deployment_names_a_flow() -> None:
    declared = yaml.safe_load((DEPLOY / "prefect.yaml").read_text())["deployments"]
    pytest.importorskip("prefect", reason="flows need the extra `flows`")
    for deployment in declared:
        path, _, name = deployment["entrypoint"].partition(":")
        module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
        flow = getattr(module, name)
        known = set(flow.parameters.properties)
        assert set(deployment.get("parameters", {})) <= known, path
    files = {p.stem for p in (ROOT / "flows").glob("*.py")} - {
        "__init__",
        "alerts",
        "batch",
        "where",
    }
    assert {d["entrypoint"].split("/")[1].split(".")[0] for d in declared} == files


def test_every_variable_of_the_environment_is_named_where_services_get_theirs() -> None:
    used = set()
    for file in [*ROOT.glob("flows/*.py"), DEPLOY / "prefect.yaml"]:
        used |= set(re.findall(r"SCIQLOP_PIPE_[A-Z]+(?:_[A-Z]+)*", file.read_text()))
    named = (DEPLOY / "systemd/sciqlop-pipe.env").read_text()
    named += "".join(f.read_text() for f in DEPLOY.glob("systemd/*.service"))
    assert {u for u in used if u not in named} <= {"SCIQLOP_PIPE_SMTP", "SCIQLOP_PIPE_ALERT_FROM"}
