"""What is asked of models, and what a chain of names and calls can stand at."""

from __future__ import annotations

import enum
from collections.abc import Collection
from dataclasses import dataclass

from strangler.analysis.symbols import Symbol

_MOST = 3
"""Models one of whose rows something is said to be by turns: of more, the code is about none of them."""


class Does(enum.Enum):
    """What is asked of a model."""

    READ = enum.auto()
    WRITE = enum.auto()
    JOIN = enum.auto()
    NAVIGATE = enum.auto()


@dataclass(frozen=True, kw_only=True)
class Use:
    """Something that is asked of a model. "of" is the model that it comes from, where there is one."""

    does: Does
    model: str
    line: int
    detail: str
    of: str = ""
    each: bool = False
    """Whether it is asked anew for each row of a loop."""


@dataclass(frozen=True)
class Typed:
    """What a chain stands at: a model's class, one of its rows, a set of them, or something by its symbol."""

    what: str
    """ "model", "row", "set", "query" for values of a set, "relation" as a model's class has it, "symbol", or these:

    "self" is an object of a class, "factory" the class of a form or of a set of forms (its "links" says which) that
    has a model's rows, "form" and "forms" an object of it, "parts" a tuple, "perhaps" a row that is one of "parts",
    "either" a row that is now one of "parts" and now another, "request" a request, of the class of whoever has it.
    """
    label: str = ""
    symbol: Symbol | None = None
    links: str = ""
    """Of a many-to-many field, and a set over it, whose table holds the links: its model, or its through."""
    parts: tuple[Typed | None, ...] = ()

    @classmethod
    def one_of(cls, found: Collection[Typed]) -> Typed | None:
        """What something is that is all of these by turns: the one, or rows of a few models; else nobody can tell."""
        if len(found) < 2:
            return next(iter(found), None)
        rows: set[Typed] = set()
        for one in found:
            rows |= {part for part in one.parts if part is not None} if one.what == "either" else {one}
        if len(rows) > _MOST or any(row.what != "row" for row in rows):
            return None
        ordered: list[Typed] = sorted(rows, key=lambda row: row.label)
        return cls("either", parts=tuple(ordered))

    @property
    def made(self) -> Typed | None:
        """What a call of it makes, where it is a class; of a row nothing is asked yet: whoever saves it writes."""
        if self.what == "factory":
            return Typed(self.links, self.label)
        if self.what == "model":
            return Typed("row", self.label)
        is_class = self.symbol is not None and self.symbol.kind == "class"
        return Typed("self", symbol=self.symbol) if is_class else None
