"""Files of settings, TOML or YAML, read into frozen dataclasses; unknown names are refused."""

from __future__ import annotations

import tomllib
import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from .errors import UsageError, near

T = TypeVar("T")

#: Words that name a secret; those come from the environment, never from a file that gets copied.
SECRETS = ("password", "passwd", "secret", "token", "api_key", "access_key", "private_key")


def read_settings(path: Path) -> dict[str, Any]:
    """Return what a TOML, YAML or JSON file says, as plain dictionaries.

    Raises
    ------
    UsageError
        When it is not there, or does not parse.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        said = getattr(error, "strerror", None) or error
        raise UsageError(f"the file cannot be read ({said})", str(path), _beside(path)) from error
    try:
        if path.suffix == ".toml":
            found: Any = tomllib.loads(text)
        elif path.suffix in (".yaml", ".yml", ".json"):
            import yaml

            found = yaml.safe_load(text)
        else:
            raise UsageError("it ends in neither .toml nor .yaml", str(path), "Rename it")
    except UsageError:
        raise
    except Exception as error:  # each parser has its own
        raise UsageError(f"it does not parse ({_one_line(error)})", str(path)) from error
    if not isinstance(found, dict):
        raise UsageError("expected a table of names and values", str(path))
    return found


def fill(kind: type[T], values: Mapping[str, Any], where: str) -> T:
    """Return a frozen dataclass made of a table; tables in it become dataclasses in turn.

    Parameters
    ----------
    kind : type
        The dataclass; its field types say what each value must be.
    values : mapping
        What the file says.
    where : str
        The file, for messages.

    Raises
    ------
    UsageError
        For a name that `kind` does not have (with near names), a value of another type, a value
        that is missing, or a secret.
    """
    known: dict[str, Field[Any]] = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    for name in values:
        if name in known:
            continue
        if any(word in str(name).lower() for word in SECRETS):
            raise UsageError(
                f"'{name}' looks like a secret", where, "Secrets come from the environment only"
            )
        todo = near(str(name), known) or f"It may have: {', '.join(known)}"
        raise UsageError(f"'{name}' is unknown here", where, todo)
    hints = get_type_hints(kind)
    given = {n: _value(hints[n], v, f"{where}, {n}") for n, v in values.items()}
    for name, f in known.items():
        if name not in given and f.default is MISSING and f.default_factory is MISSING:
            raise UsageError(f"'{name}' is missing", where)
    try:
        return kind(**given)
    except UsageError as error:
        raise UsageError(error.what, error.where or where, error.todo) from error


def _value(wanted: Any, value: Any, where: str) -> Any:
    if is_dataclass(wanted) and isinstance(wanted, type):
        if not isinstance(value, Mapping):
            raise UsageError(f"expected a table, found {value!r}", where)
        return fill(wanted, value, where)
    origin = get_origin(wanted)
    if origin is types.UnionType:  # "X | None"
        return None if value is None else _value(get_args(wanted)[0], value, where)
    if origin is tuple:
        if not isinstance(value, (list, tuple)):
            raise UsageError(f"expected a list, found {value!r}", where)
        return tuple(_value(get_args(wanted)[0], v, where) for v in value)
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise UsageError(f"expected a table, found {value!r}", where)
        return {str(k): _value(get_args(wanted)[1], v, f"{where}.{k}") for k, v in value.items()}
    return _plain(wanted, value, where)


def _plain(wanted: Any, value: Any, where: str) -> Any:
    if wanted is Any:
        return value
    if wanted is str and isinstance(value, (date, datetime)):
        return value.isoformat()
    if wanted is float and type(value) is int:
        return float(value)
    if not isinstance(value, wanted) or (wanted in (int, float) and isinstance(value, bool)):
        raise UsageError(f"expected {wanted.__name__}, found {value!r}", where)
    return value


def _beside(path: Path) -> str:
    if not path.parent.is_dir():
        return ""
    return near(path.name, [p.name for p in path.parent.iterdir() if p.is_file()])


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
