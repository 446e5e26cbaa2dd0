"""Tables of MySQL and MariaDB as files, and their end; see strangler.split.archive.

The .csv is what LOAD DATA reads; bytes, bits and shapes in it as the .sql says. Not kept: triggers, grants.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from graphlib import TopologicalSorter

from pymysql.cursors import SSCursor

from strangler.split import fields
from strangler.split.archive import sha256
from strangler.split.errors import Refused, translating
from strangler.split.mysql import catalog, references, wording
from strangler.split.mysql.errors import translated
from strangler.split.mysql.rows import MySQLRows, too_long
from strangler.split.mysql.wording import Connection, identifier, literal
from strangler.split.store import Archives
from strangler.split.table import Column, Family, Table

_SET = (
    "SET time_zone = '+00:00', foreign_key_checks = 0, "
    "sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';"
)
_TEMPORARY = "CREATE TEMPORARY TABLE "
_NOT_WHILE_EMPTY = re.compile(r"  (?:CONSTRAINT `(?:[^`]|``)+` FOREIGN KEY|FULLTEXT KEY|SPATIAL KEY) .*")
"""What temporary tables cannot have, and what is quicker once the rows are in."""


@translating(translated)
class MySQLArchives(MySQLRows, Archives):
    """See Archives."""

    connection: Connection

    def script(self, table: Table, data: str) -> tuple[list[str], list[str]]:
        """See Archives.script."""
        ((_, made),) = catalog.query(self.connection, f"SHOW CREATE TABLE {table.relation}")
        head, *inner, tail = made.split("\n")
        definitions = [line.rstrip(",") for line in inner]
        later = [line for line in definitions if _NOT_WHILE_EMPTY.fullmatch(line)]
        first = ",\n".join(line for line in definitions if line not in later)
        names, sets = [], []
        for number, column in enumerate(table.columns):
            if expression := _read(column, f"@c{number}"):
                sets.append(f"{identifier(column.name)} = {expression}")
            names.append(f"@c{number}" if expression else identifier(column.name))
        return (
            [
                _SET,
                f"{head}\n{first}\n{tail};",
                f"-- LOAD DATA LOCAL INFILE {literal(data)} INTO TABLE {table.relation} CHARACTER SET utf8mb4 "
                "FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' ESCAPED BY '' LINES TERMINATED BY '\\n' "
                f"IGNORE 1 LINES ({', '.join(names)}){' SET ' if sets else ''}{', '.join(sets)};",
            ],
            [f"ALTER TABLE {table.relation} ADD {line.strip()};" for line in later],
        )

    def csv(self, table: Table) -> Iterator[bytes]:
        """See Archives.csv. Quoted here: the servers' REPLACE takes time by the square of a text's quotes."""
        yield fields.header(column.name for column in table.columns)
        with self.connection.cursor(SSCursor) as cursor:
            cursor.execute(
                f"SELECT {', '.join([wording.too_long(table), *map(wording.text, table.columns)])} "
                f"FROM {table.relation} WHERE {wording.meant(table, table.relation)} "
                f"ORDER BY {wording.key_columns(table)}"
            )
            for long, *values in cursor:
                if long:
                    raise too_long(table)
                yield (",".join(map(_written, values, table.columns)) + "\n").encode()

    def given_back(self, table: Table, making: str, filled: str, data: Iterable[bytes]) -> tuple[int, str]:
        """See Archives.given_back: as a temporary table, behind which the real one is hidden from this connection."""
        create = making.partition(";\n")[2].strip().removeprefix("CREATE TABLE ").partition(";\n--")[0]
        with self.connection.cursor() as cursor:
            cursor.execute(_TEMPORARY + create)
            try:
                count = self.load(table, ([_values(line, table)] for line in fields.read(data)))
                return count, sha256(self.csv(table))
            finally:
                cursor.execute(f"DROP TEMPORARY TABLE {table.relation}")

    @contextmanager
    def dropping(self, move: str, tables: Sequence[Table]) -> Iterator[None]:
        """See Archives.dropping. LOCK TABLES lasts over changes of the schema; a dead connection gives it up."""
        with translated(), self.connection.cursor() as cursor:
            if needing := next(_needing(self.connection, tables), None):
                raise Refused(f"the tables cannot be dropped: {needing}")
            names = [*map(identifier, _guards(self.connection, tables)), *_children_first(self.connection, tables)]
            cursor.execute(f"LOCK TABLES {', '.join(f'{name} WRITE' for name in (*names, 'strangler_ownership'))}")
            try:
                yield
                cursor.execute(f"DROP TABLE {', '.join(names)}")
            finally:
                cursor.execute("UNLOCK TABLES")


def _needing(connection: Connection, tables: Sequence[Table]) -> Iterator[str]:
    """What would be broken without the tables, in sentences; routines are not looked at."""
    yield from references.crossing_keys(connection, tables)
    for table in tables:
        for (view,) in catalog.query(
            connection,
            "SELECT CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) FROM information_schema.VIEWS "
            "WHERE INSTR(VIEW_DEFINITION, CONCAT(%s, DATABASE(), %s, %s)) > 0",
            ("`", "`.", table.relation),
        ):
            yield f'view "{view}" looks at "{table.name}"; take that away first'


def _guards(connection: Connection, tables: Sequence[Table]) -> list[str]:
    """The empty tables of ours whose foreign keys forbid TRUNCATE of the tables."""
    found = catalog.query(
        connection,
        "SELECT TABLE_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = DATABASE() "
        "AND REFERENCED_TABLE_NAME IN %s AND LEFT(TABLE_NAME, %s) = %s",
        ([catalog.bare(table) for table in tables], len(catalog.GUARD), catalog.GUARD),
    )
    return [name for (name,) in found]


def _children_first(connection: Connection, tables: Sequence[Table]) -> Iterator[str]:
    """MySQL opens locked tables again whose parent has gone before them in a DROP, and does not find them."""
    there = {catalog.bare(table): table.relation for table in tables}
    children: dict[str, set[str]] = {name: set() for name in there}
    for _, child, parent, *_ in references.foreign_keys(connection):
        if child in there and parent in there and child != parent:
            children[parent].add(child)
    yield from (there[name] for name in TopologicalSorter(children).static_order())


def _written(value: str | bytes | None, column: Column) -> str:
    if value is None:
        return fields.NULL
    if _in_hexadecimal(column):
        return value.hex() if isinstance(value, bytes) else value.encode().hex()
    text = value.decode() if isinstance(value, bytes) else value
    return text if wording.is_number(column) else fields.quoted(text)


def _read(column: Column, field: str) -> str | None:
    """What LOAD DATA makes of a field, where it would not do that by itself."""
    if _in_hexadecimal(column):
        return f"UNHEX({field})"
    return f"CAST({field} AS UNSIGNED)" if wording.base_type(column) == "bit" else None


def _in_hexadecimal(column: Column) -> bool:
    return column.family is Family.BYTES or wording.base_type(column) in wording.GEOMETRIES


def _values(line: list[fields.Field], table: Table) -> bytes:
    """A line as an INSERT takes it."""

    def value(field: fields.Field, column: Column) -> str:
        if field.missing:
            return fields.NULL
        if _in_hexadecimal(column):
            return f"x'{bytes.fromhex(field.written).hex()}'"
        return field.written if not field.quoted and wording.is_number(column) else literal(field.written)

    return f"({','.join(map(value, line, table.columns))})".encode()
