"""Options that take as many values as follow them: `--input *.gz`, as a shell writes it out."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

SEVERAL = ("--input", "--catalog", "--labels")


class Several(TyperCommand):
    """A command whose list options need not be repeated before each value."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Return what is left after options; `--input a b` was read as `--input a --input b`."""
        spread: list[str] = []
        option, taken = "", False
        for word in args:
            if word.startswith("-"):
                option, taken = (word if word in SEVERAL else ""), False
            elif option and taken:
                spread.append(option)
            else:
                taken = True
            spread.append(word)
        return super().parse_args(ctx, spread)
