"""What is moved: values, without any database."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

LONGEST_NAME = 64
"""Characters of a move's name, which every engine can keep."""


class Side(enum.StrEnum):
    """The two databases of a move."""

    SOURCE = "source"  # where the tables were born: the monolith's database
    TARGET = "target"  # where they go: the service's database

    @property
    def other(self) -> "Side":
        return Side.TARGET if self is Side.SOURCE else Side.SOURCE


class Capture(enum.StrEnum):
    """How a move gets to know of changes."""

    TRIGGERS = "triggers"  # they fill a table; works everywhere
    LOG = "log"  # the server's own log is read; PostgreSQL with wal_level = logical


@dataclass(frozen=True, kw_only=True)
class Replica:
    """A table of the source of which the target keeps a read-only copy of some columns."""

    table: str
    columns: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class MoveSpec:
    """One aggregate's tables, parents before children, and what they need beside them.

    Where nothing is moved the copies are all there is: they follow the source, and nobody's ownership changes.
    """

    name: str
    moved: tuple[str, ...]
    replicated: tuple[Replica, ...] = ()
    where: Mapping[str, str] = field(default_factory=dict)
    """Of moved tables of which only some rows move: a condition over a row's own columns, in SQL."""
    log_limit: int = 8 * 1024**3
    """Bytes that the log of changes may take in a database; triggers that find more stop themselves. The server's own
    log is bounded by the server (max_slot_wal_keep_size)."""
    capture: Capture = Capture.TRIGGERS
    """What a move is created with; it stays with that to its end."""

    def __post_init__(self) -> None:
        names = [*self.moved, *(replica.table for replica in self.replicated)]
        if len(self.name) > LONGEST_NAME:
            raise ValueError(f'the name of move "{self.name}" is longer than {LONGEST_NAME} characters; shorten it')
        if not names:
            raise ValueError(f'move "{self.name}" carries no table; name at least one')
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f'move "{self.name}" names the table "{twice[0]}" twice; name it once')
        if others := sorted(set(self.where).difference(self.moved)):
            raise ValueError(f'move "{self.name}" has a condition for "{others[0]}", which it does not move')
        if self.capture not in list(Capture):
            known = " or ".join(f'"{capture}"' for capture in Capture)
            raise ValueError(f'move "{self.name}" is to be captured by "{self.capture}"; write {known}')

    def __str__(self) -> str:
        return f"{self.name} ({', '.join(self.moved) or 'copies alone'})"
