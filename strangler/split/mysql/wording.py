"""How tables, columns, keys and values are written in MySQL's SQL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeAlias

import pymysql
from pymysql.converters import escape_string

from strangler.split.table import EVERYTHING, Column, Family, Key, KeyRange, Selection, Table

Connection: TypeAlias = "pymysql.Connection[pymysql.cursors.Cursor]"

ROW = "strangler_row"
"""The row in Table.where, in which every column is qualified."""
KEYS = 500
"""Keys in one statement: a list that the optimizer still turns into look-ups."""
_AROUND = 100
"""Bytes of a value that is short, and of what is written around a long one."""
_COMMON = re.compile(r"`[^`]*`|\bstrangler\.|\b(?:key|rows)\b|\bFOR SHARE\b|\bAS bigint\b")
_MEANT = {"strangler.": "strangler_", "FOR SHARE": "LOCK IN SHARE MODE", "AS bigint": "AS signed"}
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_NUMBERS = (Family.BOOLEAN, Family.INTEGER, Family.DECIMAL)
_DATES = (Family.DATE, Family.TIME, Family.TIMESTAMP)


def translated(statement: str) -> str:
    """A statement of the common SQL in MySQL's."""
    return _COMMON.sub(lambda found: _MEANT.get(found[0], found[0] if "`" in found[0] else f"`{found[0]}`"), statement)


def identifier(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def literal(text: str) -> str:
    return f"'{escape_string(text)}'"


def columns(table: Table) -> str:
    return ", ".join(identifier(column.name) for column in table.columns)


def key_columns(table: Table, direction: str = "") -> str:
    return ", ".join(f"{identifier(column.name)}{direction}" for column in table.key)


def key_text(row: str, table: Table) -> str:
    """The key of "row" (NEW, OLD, or the table's name) as table.key_from_text reads it."""
    return f"JSON_ARRAY({', '.join(_key_part(f'{row}.{identifier(column.name)}', column) for column in table.key)})"


def conditions(table: Table, selection: Selection, row: str = "") -> Iterator[str]:
    """Conditions for the rows of the selection; each row meets one of them, or several by the key's collation.

    A row that has a name in the statement is called "row".
    """
    dot = f"{row}." if row else ""
    also = f" AND {meant(table, row or table.relation)}"
    if selection == EVERYTHING:
        yield f"TRUE{also}"
    elif isinstance(selection, KeyRange):
        within = " AND ".join(
            _beyond(table, bound, operator, dot)
            for operator, bound in ((">", selection.after), ("<=", selection.upto))
            if bound is not None
        )
        yield f"{within}{also}"
    else:
        for begin in range(0, len(selection), KEYS):
            yield f"({_among(table, selection[begin : begin + KEYS], dot)}){also}"


def meant(table: Table, row: str) -> str:
    """A condition: the row "row" is one that is meant. True where all are; it may be NULL for one that is not."""
    return "TRUE" if table.where is None else table.where.replace(f"{ROW}.", f"{row}.")


def text(column: Column) -> str:
    """The value as text or bytes, the same for equal values and for no others."""
    name, base = identifier(column.name), base_type(column)
    if base in ("float", "double"):
        return f"CAST({name} + 0e0 AS CHAR)"  # a float's own text has six digits only
    if base == "bit":
        return f"CAST({name} + 0 AS CHAR)"
    if base in GEOMETRIES:
        return f"UNHEX(HEX({name}))"
    if is_text(column):
        return f"CAST(CONVERT({name} USING utf8mb4) AS BINARY)"
    return name if column.family is Family.BYTES else f"CAST({name} AS CHAR)"


def as_literal(column: Column) -> str:
    """What writes the value as a literal, for a statement that inserts it."""
    if is_number(column):
        return f"IFNULL({text(column)}, 'NULL')"
    if column.family is Family.BYTES or base_type(column) in GEOMETRIES:
        # QUOTE writes NULL for a missing value, and takes texts only: in latin1 every byte is one.
        quoted = f"CAST(QUOTE(CONVERT({text(column)} USING latin1)) AS BINARY)"
        return f"CONCAT(IF({identifier(column.name)} IS NULL, '', '_binary'), {quoted})"
    return f"QUOTE({text(column)})"


def as_digested(column: Column) -> str:
    """What stands for the value in a checksum: no two rows give the same, wherever their values begin and end."""
    if is_number(column) or column.family in _DATES:
        return f"IFNULL({text(column)}, 'N')"
    return f"IF({identifier(column.name)} IS NULL, 'N', CONCAT(LENGTH({text(column)}), ':', {text(column)}))"


def too_long(table: Table, *, in_hexadecimal: bool = False) -> str:
    """Whether a row's values are longer than what functions give, who give NULL then as if there were no value."""
    lengths = [
        f"IFNULL(LENGTH({identifier(column.name)}), 0) * {_growth(column, in_hexadecimal)}"
        for column in table.columns
        if not is_number(column) and column.family not in _DATES
    ]
    return f"{' + '.join([*lengths, str(_AROUND * len(table.columns))])} > @@max_allowed_packet"


def base_type(column: Column) -> str:
    """The type without sizes and collation: "varchar" of "varchar(20) utf8mb4_bin"."""
    return re.split(r"[ (]", column.type, maxsplit=1)[0]


def is_text(column: Column) -> bool:
    """Whether it has a character set: JSON of MariaDB is text, that of MySQL is not."""
    return base_type(column) in TEXTS


def is_number(column: Column) -> bool:
    return base_type(column) in NUMBERS


def _growth(column: Column, in_hexadecimal: bool) -> int:
    """By how much a value grows at most, when it is written as utf8mb4, or its bytes in hexadecimal."""
    if is_text(column):
        return 3 if column.type.rpartition(" ")[2].startswith("latin1") else 1
    return 2 if in_hexadecimal else 1


INTEGERS = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}
NUMBERS = {*INTEGERS, "decimal", "float", "double", "bit", "year"}
TEXTS = {"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"}
GEOMETRIES = {
    "geometry",
    "point",
    "linestring",
    "polygon",
    "multipoint",
    "multilinestring",
    "multipolygon",
    "geometrycollection",
    "geomcollection",
}


def _key_part(name: str, column: Column) -> str:
    if column.family is Family.BYTES:
        return f"LOWER(HEX({name}))"
    if base_type(column) == "timestamp":
        # Its text would be in the time zone of whoever writes; the number behind it is not.
        return f"CAST(CAST('1970-01-01' AS DATETIME(6)) + INTERVAL UNIX_TIMESTAMP({name}) SECOND AS CHAR)"
    return f"CONVERT({name if is_text(column) else f'CAST({name} AS CHAR)'} USING utf8mb4)"


def _beyond(table: Table, bound: Key, operator: str, dot: str) -> str:
    """(a, b) > (x, y) as the optimizer understands it: a > x OR (a = x AND b > y)."""
    parts = []
    equal = ""
    last = len(bound) - 1
    for number, (column, value) in enumerate(zip(table.key, bound, strict=True)):
        name, written = f"{dot}{identifier(column.name)}", _key_literal(column, value)
        parts.append(f"({equal}{name} {operator if number == last else operator[0]} {written})")
        equal += f"{name} = {written} AND "
    return f"({' OR '.join(parts)})"


def _among(table: Table, keys: tuple[Key, ...], dot: str) -> str:
    if len(table.key) == 1:
        [column] = table.key
        return f"{dot}{identifier(column.name)} IN ({', '.join(_key_literal(column, value) for (value,) in keys)})"
    return " OR ".join(
        "("
        + " AND ".join(
            f"{dot}{identifier(column.name)} = {_key_literal(column, value)}"
            for column, value in zip(table.key, key, strict=True)
        )
        + ")"
        for key in keys
    )


def _key_literal(column: Column, value: str) -> str:
    if column.family in _NUMBERS:
        if not _NUMBER.fullmatch(value):
            raise ValueError(f'"{value}" is no value of the key column "{column}"')
        return value
    if column.family is Family.BYTES:
        return f"x'{bytes.fromhex(value).hex()}'"
    return literal(value)
