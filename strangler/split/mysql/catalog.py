"""What the catalog of MySQL and MariaDB says of tables. Everything here only reads."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from strangler.split.errors import SplitError
from strangler.split.mysql import wording
from strangler.split.mysql.wording import Connection
from strangler.split.numbers import Numbers
from strangler.split.table import Column, Family, Table

GUARD = "strangler_guard_"
"""How the empty tables are called whose foreign keys forbid TRUNCATE."""
_FAMILIES = {
    "decimal": Family.DECIMAL,
    "double": Family.FLOAT,
    "char": Family.TEXT,
    "varchar": Family.TEXT,
    "tinytext": Family.TEXT,
    "text": Family.TEXT,
    "mediumtext": Family.TEXT,
    "longtext": Family.TEXT,
    "binary": Family.BYTES,
    "varbinary": Family.BYTES,
    "tinyblob": Family.BYTES,
    "blob": Family.BYTES,
    "mediumblob": Family.BYTES,
    "longblob": Family.BYTES,
    "uuid": Family.UUID,
    "date": Family.DATE,
    "time": Family.TIME,
    "datetime": Family.TIMESTAMP,
    "timestamp": Family.TIMESTAMP,
    "json": Family.JSON,
}
_KEYS = {
    Family.BOOLEAN,
    Family.INTEGER,
    Family.DECIMAL,
    Family.TEXT,
    Family.BYTES,
    Family.UUID,
    Family.DATE,
    Family.TIME,
    Family.TIMESTAMP,
}
_CHARACTER_SETS = {"utf8mb4", "utf8mb3", "utf8", "latin1", "ascii"}
"""Those of which every character can be written in utf8mb4, and read back."""
_TELLS_ALL_APART = re.compile(r"binary|.*_nopad_bin|.*_0900_bin")
"""Collations that take no two texts for the same; even utf8mb4_bin does not look at blanks at the end."""
_LONGEST = 2**32 - 1
_HIGHEST = 2**63 - 1


def is_mariadb(connection: Connection) -> bool:
    return "mariadb" in str(connection.get_server_info()).lower()  # type: ignore[no-untyped-call]


def describe(connection: Connection, name: str, columns: tuple[str, ...] | None) -> Table:
    """See Catalog.describe."""
    where = f'database "{current_database(connection)}"'
    found = query(
        connection,
        "SELECT TABLE_NAME, TABLE_TYPE, ENGINE, CREATE_OPTIONS FROM information_schema.TABLES "
        "WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s",
        (name,),
    )
    if not found:
        raise SplitError(f'there is no table "{name}" in {where}; migrate it first, or correct the name in the plan')
    real_name, kind, engine, options = found[0]
    if kind != "BASE TABLE":
        raise SplitError(f'"{name}" in {where} is a {kind.lower()}; only plain tables can be moved')
    if engine != "InnoDB":
        raise SplitError(
            f'table "{name}" in {where} is kept by {engine}, which has no transactions; ALTER TABLE ... ENGINE = InnoDB'
        )
    if "partitioned" in (options or ""):
        raise SplitError(
            f'table "{name}" in {where} is partitioned; its partitions can be truncated past every trigger, so it '
            "cannot be moved; ALTER TABLE ... REMOVE PARTITIONING first"
        )
    known = {column.name: column for column in _columns(connection, real_name, where)}
    parts = query(
        connection,
        "SELECT COLUMN_NAME, SUB_PART FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() "
        "AND TABLE_NAME = %s AND INDEX_NAME = 'PRIMARY' ORDER BY SEQ_IN_INDEX",
        (real_name,),
    )
    key = [column for column, _ in parts]
    if not key:
        raise SplitError(f'table "{name}" in {where} has no primary key; give it one, rows cannot be followed without')
    wanted = columns or tuple(known)
    missing = [column for column in (*wanted, *key) if column not in known]
    if missing:
        raise SplitError(f'table "{name}" in {where} has no column "{missing[0]}"; correct the plan or migrate')
    if left_out := [column for column in key if column not in wanted]:
        raise SplitError(f'the columns of "{name}" leave out "{left_out[0]}" of its primary key; add it to the plan')
    for column, prefix in parts:
        if prefix is not None or known[column].family not in _KEYS:
            raise SplitError(
                f'rows of table "{name}" in {where} cannot be followed by "{known[column]}" in the primary key; '
                "give it a key of whole numbers, texts, bytes or dates"
            )
    return Table(
        name=name,
        relation=wording.identifier(real_name),
        columns=tuple(known[column] for column in wanted),
        key=tuple(known[column] for column in key),
    )


def shape(connection: Connection, tables: Sequence[Table]) -> str:
    """See Catalog.shape. A table's number belongs to it: TRUNCATE, which fires no trigger, gives it another one."""
    if not tables:
        return ""
    database = current_database(connection)
    named = " OR ".join(
        f"CAST(NAME AS BINARY) LIKE {wording.literal(f'{_in_files(database)}/{_in_files(bare(table))}')}"
        for table in tables
    )
    numbers = query(
        connection,
        f"SELECT TABLE_ID FROM information_schema.INNODB_{'SYS_' if is_mariadb(connection) else ''}TABLES "
        f"WHERE {named} ORDER BY NAME",
    )
    found = [
        query(
            connection,
            "SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, COLLATION_NAME FROM information_schema.COLUMNS "
            "WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s ORDER BY ORDINAL_POSITION",
            (bare(table),),
        )
        for table in tables
    ]
    return hashlib.sha256(repr((numbers, found)).encode()).hexdigest()[:16]


def last_numbers(connection: Connection, table: Table) -> dict[str, int]:
    """See Store.last_numbers."""
    if table.where is not None:
        return {}  # both databases go on to give numbers out
    return {column: int(upcoming or 1) - 1 for column, upcoming in _counted(connection, table)}


def numbers(connection: Connection, table: Table) -> dict[str, Numbers]:
    """See Catalog.numbers: by the settings of the server, which a connection takes over as it begins."""
    [(step, first)] = query(connection, "SELECT @@GLOBAL.auto_increment_increment, @@GLOBAL.auto_increment_offset")
    # An offset that is greater than the step is none to the server.
    taken = Numbers(highest=_HIGHEST, step=int(step), first=int(first) if first <= step else 1)
    return {column: taken for column, _ in _counted(connection, table)}


def estimate(connection: Connection, table: Table) -> int:
    """See Store.estimate. Some rows are counted."""
    if table.where is None:
        rows = scalar(
            connection,
            "SELECT TABLE_ROWS FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s",
            (bare(table),),
        )
        return int(rows or 0)
    return int(
        scalar(connection, f"SELECT COUNT(*) FROM {table.relation} WHERE {wording.meant(table, table.relation)}")
    )


def old_writers(connection: Connection, seconds: float) -> str | None:
    """See Store.old_writers: the server does not say which tables a transaction has written, only that it has."""
    found = query(
        connection,
        "SELECT t.trx_mysql_thread_id, p.USER, TIMESTAMPDIFF(SECOND, t.trx_started, NOW()) "
        "FROM information_schema.INNODB_TRX t LEFT JOIN information_schema.PROCESSLIST p "
        "ON p.ID = t.trx_mysql_thread_id "
        "WHERE t.trx_rows_modified > 0 AND t.trx_mysql_thread_id <> CONNECTION_ID() "
        "AND t.trx_started <= NOW() - INTERVAL %s SECOND ORDER BY t.trx_started LIMIT 1",
        (seconds,),
    )
    if not found:
        return None
    thread, user, age = found[0]
    who = f'connection {thread} of "{user}"' if thread else "a prepared one: see XA RECOVER"
    return f"{who}, {age} s"


def bare(table: Table) -> str:
    """The table's name as the catalog has it."""
    return table.relation[1:-1].replace("``", "`")


def triggers(connection: Connection) -> dict[tuple[str, str], str]:
    """The plain bodies of all triggers, by name and table."""
    return {
        (name, table): plain(body)
        for name, table, body in query(
            connection,
            "SELECT TRIGGER_NAME, EVENT_OBJECT_TABLE, ACTION_STATEMENT FROM information_schema.TRIGGERS "
            "WHERE TRIGGER_SCHEMA = DATABASE()",
        )
    }


def plain(body: str) -> str:
    """A trigger's body to be compared: the catalog shows its texts without the backslashes they were written with."""
    return body.replace("\\", "")


def query(connection: Connection, statement: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    """The rows of a statement."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params or None)
        return list(cursor.fetchall())


def scalar(connection: Connection, statement: str, params: Sequence[object] = ()) -> Any:
    """The first column of the first row, or None where there is no row."""
    rows = query(connection, statement, params)
    return rows[0][0] if rows else None


def _counted(connection: Connection, table: Table) -> list[tuple[Any, ...]]:
    return query(
        connection,
        "SELECT c.COLUMN_NAME, t.AUTO_INCREMENT FROM information_schema.COLUMNS c JOIN information_schema.TABLES t "
        "USING (TABLE_SCHEMA, TABLE_NAME) WHERE t.TABLE_SCHEMA = DATABASE() AND t.TABLE_NAME = %s AND c.EXTRA LIKE %s",
        (bare(table), "%auto_increment%"),
    )


def _columns(connection: Connection, table: str, where: str) -> Iterator[Column]:
    # MariaDB's JSON is a longtext with a constraint.
    json = {
        found[1]
        for (clause,) in _json_constraints(connection, table)
        if (found := re.fullmatch(r"json_valid\(`(.+)`\)", clause))
    }
    unique = _unique_parts(connection, table)
    for name, base, written, charset, collation, precision, scale, fraction, length, extra, default in query(
        connection,
        "SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, CHARACTER_SET_NAME, COLLATION_NAME, NUMERIC_PRECISION, "
        "NUMERIC_SCALE, DATETIME_PRECISION, CHARACTER_MAXIMUM_LENGTH, EXTRA, COLUMN_DEFAULT "
        "FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s ORDER BY ORDINAL_POSITION",
        (table,),
    ):
        if "GENERATED" in extra and "DEFAULT_GENERATED" not in extra:
            continue
        if charset is not None and charset not in _CHARACTER_SETS:
            raise SplitError(
                f'column "{name}" of table "{table}" in {where} is in {charset}, of which not every character comes '
                "back; convert it to utf8mb4"
            )
        if "nextval(" in (default or "").lower():
            raise SplitError(
                f'column "{name}" of table "{table}" in {where} takes its numbers from a sequence; make it '
                "AUTO_INCREMENT, which a move carries on"
            )
        # The width of a whole number is for display only; of tinyint(1) it says what the column is for.
        kind = written if written.startswith("tinyint(1)") else re.sub(r"^(\w*int)\(\d+\)", r"\1", written)
        family = Family.JSON if name in json else _family(base, kind)
        size: tuple[int, ...] = ()
        if family is Family.INTEGER:
            # An unsigned one needs one more bit in any type with a sign.
            size = (wording.INTEGERS[base] + ("unsigned" in kind),)
        elif family is Family.DECIMAL:
            size = (int(precision), int(scale))
        elif family in (Family.TIME, Family.TIMESTAMP) and fraction != 6:
            size = (int(fraction),)
        elif family in (Family.TEXT, Family.BYTES) and length not in (None, _LONGEST):
            # A text's length is given in bytes; as many characters fit in any case.
            size = (int(length) // (4 if base in ("tinytext", "text", "mediumtext") else 1),)
        yield Column(
            name=name,
            type=kind if collation is None else f"{kind} {collation}",
            family=family,
            size=size,
            folds=name in unique and (unique[name] or not _TELLS_ALL_APART.fullmatch(collation or "binary")),
        )


def _family(base: str, written: str) -> Family:
    if written == "tinyint(1)":
        return Family.BOOLEAN
    return Family.INTEGER if base in wording.INTEGERS else _FAMILIES.get(base, Family.OTHER)


def _unique_parts(connection: Connection, table: str) -> dict[str, bool]:
    """The columns of unique indexes, and whether one of these looks at their beginnings only."""
    return {
        column: bool(prefix)
        for column, prefix in query(
            connection,
            "SELECT COLUMN_NAME, MAX(SUB_PART IS NOT NULL) FROM information_schema.STATISTICS "
            "WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s AND NON_UNIQUE = 0 AND COLUMN_NAME IS NOT NULL "
            "GROUP BY COLUMN_NAME",
            (table,),
        )
    }


def _json_constraints(connection: Connection, table: str) -> list[tuple[Any, ...]]:
    if not is_mariadb(connection):
        return []
    return query(
        connection,
        "SELECT CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS "
        "WHERE CONSTRAINT_SCHEMA = DATABASE() AND TABLE_NAME = %s",
        (table,),
    )


def _in_files(name: str) -> str:
    """A pattern for the name as InnoDB writes it. A letter that is none of ASCII may be any: one table too many is
    harmless, it only asks for a comparison too many."""
    return "".join(
        rf"\{char}" if char == "_" else char if char.isascii() and char.isalnum() else
        f"@{ord(char):04x}" if char.isascii() else "@%"
        for char in name
    )  # fmt: skip


def current_database(connection: Connection) -> str:
    return str(scalar(connection, "SELECT DATABASE()"))
