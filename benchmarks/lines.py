"""Lines of code per instrument: `python benchmarks/lines.py [--limit 150]`.

Lines that hold code: no docstrings, comments or blank lines. Files of a mission that only bind
products (tables of contents included) are counted like the rest.
"""

from __future__ import annotations

import argparse
import ast
import io
import tokenize
from pathlib import Path

MISSIONS = Path(__file__).resolve().parent.parent / "missions"
_QUIET = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
          tokenize.ENCODING, tokenize.ENDMARKER)  # fmt: skip


def code_lines(text: str) -> int:
    """Return the number of lines of a module that hold code."""
    held: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in _QUIET:
            held.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            held.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(held)


def main() -> None:
    """Print a row per file, the longest first, and those above the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=int, default=150)
    parser.add_argument("--all", action="store_true", help="also the simulated mission")
    args = parser.parse_args()
    rows = sorted(
        (
            (code_lines(path.read_text()), path.relative_to(MISSIONS).as_posix())
            for path in MISSIONS.glob("*/*.py")
            if path.name != "__init__.py" and (args.all or path.parent.name != "sim")
        ),
        reverse=True,
    )
    for count, name in rows:
        print(f"{count:5} {'over' if count > args.limit else '    '} {name}")
    over = sum(count > args.limit for count, _ in rows)
    print(f"{len(rows)} files, {over} over {args.limit}, median {rows[len(rows) // 2][0]}")


if __name__ == "__main__":
    main()
