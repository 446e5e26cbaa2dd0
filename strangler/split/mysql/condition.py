"""A condition over a table's rows: the server itself checks it, and writes it out with every column in backticks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pymysql

from strangler.split.errors import Refused
from strangler.split.mysql import catalog, references, wording
from strangler.split.mysql.wording import ROW, Connection, identifier, meant
from strangler.split.table import Key, Table

_SHAPE, _MEANT = "strangler_shape", "strangler_meant"
_SHOWN = re.compile(rf"  `{_MEANT}` [^\n]*? GENERATED ALWAYS AS \((.*)\) (?:STORED|PERSISTENT)\b", re.DOTALL)
_TOKEN = re.compile(
    r"(?P<text>'(?:[^'\\]|''|\\.)*')|`(?P<column>(?:[^`]|``)+)`|(?P<name>\w+)(?=\s*\()|(?P<other>.)", re.S
)
_WITHOUT_DOTS = re.compile(
    r"'(?:[^'\\]|''|\\.)*'|\"(?:[^\"\\]|\"\"|\\.)*\"|`(?:[^`]|``)*`"  # texts and names
    r"|--[^\n]*|#[^\n]*|/\*(?!M?!).*?\*/|\d+\.\d*|\.\d+",  # comments and numbers
    re.DOTALL,
)
"""What a condition may have dots in."""
_SAME_FOR_ALL = {"abs", "char_length", "coalesce", "if", "ifnull", "length", "nullif", "octet_length", "substr"}
"""Functions that go by nothing but what they are given."""
_BEFORE_A_BRACKET = {"and", "between", "case", "else", "in", "is", "like", "not", "or", "then", "when", "xor"}


def only(connection: Connection, table: Table, where: str) -> Table:
    """See Catalog.only."""
    given = f'the condition "{where}" on table "{table.name}"'
    if ROW in where:
        raise Refused(f'{given} names "{ROW}", which the toolkit needs for itself; write it without')
    try:
        return replace(table, where=f"({_qualified(table, _written_out(connection, table, where))})")
    except (ValueError, pymysql.Error) as error:
        said = error.args[-1]
        raise Refused(
            f"{given} is refused: {said}; write one over the row's own columns, without their table's name, that "
            "always holds or never for the same row"
        ) from error


def straddling(
    connection: Connection, tables: Sequence[Table], keys: Mapping[str, Sequence[Key]] | None
) -> Iterator[str]:
    """See Store.straddling."""
    by_name = {catalog.bare(table): table for table in tables}
    for name, child, parent, _, _ in references.foreign_keys(connection):
        mine, theirs = by_name.get(child), by_name.get(parent)
        if mine is None or theirs is None or mine.where is theirs.where is None:
            continue
        joined = " AND ".join(
            f"c.{identifier(column)} = p.{identifier(other)}"
            for column, other in references.joined(connection, child, str(name))
        )
        among = ["TRUE"] if keys is None else [*_among("c", mine, keys), *_among("p", theirs, keys)]
        for one, said, other, ends in (
            ("c", "point at", "p", (mine, theirs)),
            ("p", "are pointed at by", "c", (theirs, mine)),
        ):
            tied = " UNION ".join(
                f"SELECT {_keys('c', mine)}, {_keys('p', theirs)} FROM {mine.relation} c JOIN {theirs.relation} p "
                f"ON {joined} WHERE ({some}) AND {meant(ends[0], one)} AND ({meant(ends[1], other)}) IS NOT TRUE"
                for some in among
            )
            if among and (count := catalog.scalar(connection, f"SELECT COUNT(*) FROM ({tied}) tied")):
                yield (
                    f'{count:,} rows of "{ends[0].name}" that move {said} rows of "{ends[1].name}" that do not '
                    f'(foreign key "{name}"); correct the rows, or the conditions'
                )


def _among(row: str, table: Table, keys: Mapping[str, Sequence[Key]]) -> Iterator[str]:
    """Conditions for those of the table's keys, if there are any: the row has one of them."""
    if wanted := tuple(keys.get(table.name, ())):
        yield from wording.conditions(replace(table, where=None), wanted, row)


def _keys(row: str, table: Table) -> str:
    return ", ".join(f"{row}.{identifier(column.name)} AS {row}{number}" for number, column in enumerate(table.key))


def _written_out(connection: Connection, table: Table, where: str) -> str:
    """The condition as the server prints it. Leaves nothing behind. Raises ValueError.

    What a stored column may be computed by is what we need: no query in it, no clock, this table's columns only.
    """
    if "." in _WITHOUT_DOTS.sub(" ", where):
        raise ValueError("a column in it is qualified, which MySQL would not look at")
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE {_SHAPE} AS SELECT {wording.columns(table)} FROM {table.relation} LIMIT 0"
        )
        try:
            cursor.execute(
                f"ALTER TABLE {_SHAPE} ADD COLUMN {_MEANT} BOOLEAN GENERATED ALWAYS AS (({where}\n) IS TRUE) STORED"
            )
            cursor.execute(f"SELECT * FROM {_SHAPE}")
            names = [column[0] for column in cursor.description or ()]
            cursor.execute(f"SHOW CREATE TABLE {_SHAPE}")
            [(_, made)] = cursor.fetchall()
        finally:
            cursor.execute(f"DROP TEMPORARY TABLE {_SHAPE}")
    found = _SHOWN.search(made)
    if names != [*(column.name for column in table.columns), _MEANT] or found is None:
        raise ValueError("it is more than a condition")
    return found[1]


def _qualified(table: Table, written: str) -> str:
    """What the server has written, with every column as that of ROW. Raises ValueError."""
    of_the_zone = {column.name for column in table.columns if wording.base_type(column) == "timestamp"}
    parts = []
    for found in _TOKEN.finditer(written):
        name = (found["name"] or "").lower()
        if name and name not in _SAME_FOR_ALL | _BEFORE_A_BRACKET:
            raise ValueError(f'function "{name}" may mean something else at another time, or for another connection')
        if found["other"] == "/":
            raise ValueError("how exactly is divided is a connection's own setting")
        if found["column"] in of_the_zone:
            raise ValueError(f'what "{found["column"]}" is compared with goes by the time zone of whoever writes')
        parts.append(f"{ROW}.{found[0]}" if found["column"] else found[0])
    return "".join(parts)
