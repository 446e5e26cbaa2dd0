"""What ties two apps together, at one line."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


class Kind(enum.StrEnum):
    """How one part depends on another. The weight of each, with its reason, stands in docs/map.md."""

    FOREIGN_KEY = "foreign key"  # the database itself holds the rows together
    ONE_TO_ONE = "one-to-one"
    MANY_TO_MANY = "many-to-many"
    GENERIC_KEY = "generic key"  # a key to any model, by content type
    SOFT_KEY = "soft key"  # a column that holds a key and says so by its name alone
    INHERITANCE = "inheritance"  # a class of the other app is the base; of a model, also its table
    JOIN = "join"  # one query over tables of both
    NAVIGATION = "navigation"  # from a row to rows of the other app: a query
    PER_ROW = "n+1"  # a walk like that for each row of a loop
    READ = "read"  # a query on the other app's table
    WRITE = "write"  # rows of the other app are made, changed or deleted
    HIDDEN_WRITE = "hidden write"  # the same, because rows of one's own are saved or deleted
    SQL = "sql"  # a statement names the other app's table
    OBSERVED = "observed"  # a trace saw its table read or written from here, and no line says so
    IMPORT = "import"
    LATE_IMPORT = "late import"  # within a function: somebody broke a cycle
    TYPE_IMPORT = "type import"  # for annotations alone; nothing at run time
    STRING_IMPORT = "string import"  # by a dotted name in a text
    SIGNAL = "signal"
    TASK = "task"
    TEMPLATE = "template"
    TAG_LIBRARY = "tag library"
    URL = "url"  # a route of the other app by its name
    PREFIX = "prefix"  # its routes lie below a prefix of the other app's
    PERMISSION = "permission"
    ADMIN = "admin"
    SESSION = "session"  # one key of the session, used by both
    CACHE = "cache"
    SETTING = "setting"  # one setting, read by both
    MIGRATION = "migration"


WRITES = frozenset({Kind.WRITE, Kind.HIDDEN_WRITE})
EVERY_APP = "(every app)"
"""The target of what is tied to whatever there is."""


@dataclass(frozen=True, kw_only=True)
class Coupling:
    """One app's dependence on another. "source" and "target" are modules, or models by their labels."""

    kind: Kind
    source_app: str
    target_app: str
    source: str
    target: str
    path: str
    line: int
    detail: str = ""
    test: bool = False
    """Only tests depend so."""

    def __str__(self) -> str:
        what = f" ({self.detail})" if self.detail else ""
        return f"{self.path}:{self.line}: {self.source} -> {self.target}, {self.kind}{what}"


WEIGHTS: Mapping[Kind, int] = {
    Kind.FOREIGN_KEY: 10,
    Kind.ONE_TO_ONE: 10,
    Kind.MANY_TO_MANY: 10,
    Kind.GENERIC_KEY: 8,
    Kind.WRITE: 8,
    Kind.HIDDEN_WRITE: 8,
    Kind.SQL: 8,
    Kind.INHERITANCE: 6,
    Kind.JOIN: 6,
    Kind.PER_ROW: 6,
    Kind.NAVIGATION: 4,
    Kind.READ: 4,
    Kind.OBSERVED: 4,
    Kind.SIGNAL: 3,
    Kind.ADMIN: 3,
    Kind.SOFT_KEY: 3,
    Kind.SESSION: 2,
    Kind.CACHE: 2,
    Kind.TEMPLATE: 2,
    Kind.TAG_LIBRARY: 2,
    Kind.PREFIX: 2,
    Kind.IMPORT: 1,
    Kind.LATE_IMPORT: 1,
    Kind.STRING_IMPORT: 1,
    Kind.TASK: 1,
    Kind.URL: 1,
    Kind.PERMISSION: 1,
    Kind.TYPE_IMPORT: 0,
    Kind.MIGRATION: 0,
    Kind.SETTING: 0,
}
"""What it takes to do without one, relative to an import that becomes a call."""


def weight(couplings: Iterable[Coupling]) -> int:
    """The weights of all, together."""
    return sum(count * WEIGHTS[kind] for kind, count in Counter(coupling.kind for coupling in couplings).items())
