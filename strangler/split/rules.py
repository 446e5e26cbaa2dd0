"""What a database enforces and does for those who write a table, beyond its columns: compared before a switch. Pure.

After a switch the target's rules are the application's. One that is missing there lets in what the source would have
refused; one that only the target has may refuse rows of the source, and then nothing can be followed any more.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace


class Kind(enum.StrEnum):
    """The kinds of rules, as they are called in a sentence."""

    UNIQUE = "unique index"
    CHECK = "check"
    EXCLUSION = "exclusion constraint"
    FOREIGN_KEY = "foreign key"
    NOT_NULL = "NOT NULL"
    GENERATED = "generated column"
    COLLATION = "collation"
    DEFAULT = "default"
    SECURITY = "row security"
    PRIVILEGE = "privilege"
    INDEX = "index"
    TRIGGER = "trigger"
    EXTENSION = "extension"


_ON_BOTH = {
    Kind.UNIQUE,
    Kind.CHECK,
    Kind.EXCLUSION,
    Kind.FOREIGN_KEY,
    Kind.NOT_NULL,
    Kind.GENERATED,
    Kind.COLLATION,
}
_AT_THE_TARGET = {Kind.DEFAULT, Kind.SECURITY, Kind.PRIVILEGE}
_STRICTER = {Kind.UNIQUE, Kind.CHECK, Kind.EXCLUSION, Kind.NOT_NULL}
"""What refuses rows that the source has taken."""


@dataclass(frozen=True, kw_only=True, order=True)
class Rule:
    """One rule, in words that are equal on both sides if the rule is; names of constraints are not among them."""

    table: str  # as the plan writes it; "" for the database
    kind: Kind
    text: str
    common: str = ""  # the same in words that every engine's rules have; empty where there are none

    def __str__(self) -> str:
        return f"the {self.kind} {self.text}"


def between_engines(rules: Iterable[Rule]) -> list[Rule]:
    """Those that can be compared with the rules of another engine, in their common words."""
    return [replace(rule, text=rule.common) for rule in rules if rule.common]


def unique(columns: Iterable[str]) -> str:
    """The common words for a unique index on whole columns; their order makes no difference to what it refuses."""
    return f"({', '.join(sorted(columns))})"


def foreign_key(columns: Iterable[str], parent: str, referenced: Iterable[str]) -> str:
    """The common words for a foreign key; what it does on a deletion is not among them."""
    pairs = sorted(zip(columns, referenced, strict=True))
    return f"({', '.join(mine for mine, _ in pairs)}) to {parent} ({', '.join(theirs for _, theirs in pairs)})"


def refusals(source: Iterable[Rule], target: Iterable[Rule], *, moved: Iterable[str]) -> Iterator[str]:
    """What must be alike before a move begins and before it is switched, a sentence each."""
    mine, theirs, moved = set(source), set(target), set(moved)
    for rule in sorted(mine - theirs):
        if rule.table not in moved:
            continue
        if rule.kind is Kind.PRIVILEGE:
            yield (
                f'in the target nobody but a superuser may {rule.text} table "{rule.table}", as somebody may at the '
                f"source; GRANT {rule.text} to the service's user"
            )
        elif rule.kind in _ON_BOTH | _AT_THE_TARGET:
            yield f'table "{rule.table}": only the source has {rule}; migrate the target'
    for rule in sorted(theirs - mine):
        if rule.kind in (_ON_BOTH if rule.table in moved else _STRICTER):
            yield (
                f'table "{rule.table}": only the target has {rule}, which rows of the source may violate; '
                "migrate one of them"
            )


def warnings(source: Iterable[Rule], target: Iterable[Rule], *, moved: Iterable[str]) -> Iterator[str]:
    """What the target lacks without harm to the rows, a sentence each."""
    moved = {*moved, ""}
    for rule in sorted(set(source) - set(target)):
        if rule.table not in moved or rule.kind in _ON_BOTH | _AT_THE_TARGET:
            continue
        where = f'table "{rule.table}": only the source has' if rule.table else "only the source's database has"
        yield f"{where} {rule}; the target goes without"
