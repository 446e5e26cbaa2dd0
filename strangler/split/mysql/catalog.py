"""What the catalog of MySQL and MariaDB says of tables. Everything here only reads."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from strangler.split.errors import SplitError
from strangler.split.mysql import wording
from strangler.split.mysql.wording import Connection
from strangler.split.numbers import Numbers
from strangler.split.table import Column, Family, Table

GUARD = "strangler_guard_"
"""How the empty tables are called whose foreign keys forbid TRUNCATE."""
_OLDEST = {"MariaDB": (10, 6), "MySQL": (8, 0)}
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
_ON_DATABASE = {
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "CREATE",
    "DROP",
    "ALTER",
    "REFERENCES",
    "TRIGGER",
}
_ON_SERVER = {"CREATE USER", "PROCESS"}
_HAND_ON = "GRANT OPTION"
_SETTINGS = (
    "binlog_format",
    "foreign_key_checks",
    "group_replication_single_primary_mode",
    "innodb_flush_log_at_trx_commit",
    "log_bin",
    "log_bin_trust_function_creators",
    "read_only",
    "sync_binlog",
    "wsrep_on",
)


def is_mariadb(connection: Connection) -> bool:
    return "mariadb" in str(connection.get_server_info()).lower()  # type: ignore[no-untyped-call]


def describe(connection: Connection, name: str, columns: tuple[str, ...] | None) -> Table:
    """See Catalog.describe."""
    where = f'database "{_database(connection)}"'
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
    database = _database(connection)
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


def crossing_keys(connection: Connection, tables: Sequence[Table]) -> list[str]:
    """See Catalog.crossing_keys."""
    moved = {bare(table) for table in tables}
    return [
        f'the foreign key "{name}" still ties "{child}" to "{parent}"; cut it first (CutForeignKey)'
        for name, child, parent, _, _ in foreign_keys(connection)
        if (child in moved) != (parent in moved)
    ]


def cascades(connection: Connection, tables: Sequence[Table]) -> list[str]:
    """Foreign keys by which the server itself changes rows of the tables: no trigger sees that. Read-only."""
    children = {bare(table) for table in tables}
    return [
        f'the foreign key "{name}" changes rows of "{child}" by ON {event} {rule}, which fires no trigger, so that '
        "neither fence nor capture would see it; make it ON " + event + " RESTRICT"
        for name, child, _, on_delete, on_update in foreign_keys(connection)
        for event, rule in (("DELETE", on_delete), ("UPDATE", on_update))
        if child in children and rule not in ("RESTRICT", "NO ACTION")
    ]


def orphans(connection: Connection, tables: Sequence[Table]) -> list[str]:
    """See Catalog.orphans."""
    moved = {bare(table) for table in tables}
    found = []
    for name, child, parent, _, _ in foreign_keys(connection):
        if child not in moved or parent not in moved:
            continue
        pairs = [
            (wording.identifier(mine), wording.identifier(theirs)) for mine, theirs in joined(connection, child, name)
        ]
        present = " AND ".join(f"c.{mine} IS NOT NULL" for mine, _ in pairs)
        tied = " AND ".join(f"p.{theirs} = c.{mine}" for mine, theirs in pairs)
        count = scalar(
            connection,
            f"SELECT COUNT(*) FROM {wording.identifier(child)} c WHERE {present} "
            f"AND NOT EXISTS (SELECT 1 FROM {wording.identifier(parent)} p WHERE {tied})",
        )
        if count:
            found.append(f'{count:,} rows of "{child}" violate the foreign key "{name}"')
    return found


def joined(connection: Connection, child: str, name: str) -> list[tuple[Any, ...]]:
    """The columns of a foreign key: (its table's, the referenced one's)."""
    return query(
        connection,
        "SELECT COLUMN_NAME, REFERENCED_COLUMN_NAME FROM information_schema.KEY_COLUMN_USAGE "
        "WHERE CONSTRAINT_SCHEMA = DATABASE() AND TABLE_NAME = %s AND CONSTRAINT_NAME = %s "
        "ORDER BY ORDINAL_POSITION",
        (child, name),
    )


def unfit(connection: Connection, tables: Sequence[Table]) -> Iterator[str]:
    """See Catalog.unfit."""
    where = f'database "{_database(connection)}"'
    product = "MariaDB" if is_mariadb(connection) else "MySQL"
    settings = dict(query(connection, f"SHOW GLOBAL VARIABLES WHERE Variable_name IN {_SETTINGS}"))
    faults = *too_old(product, str(scalar(connection, "SELECT VERSION()"))), *unsafe(settings, _replicates(connection))
    for fault in faults:
        yield f"{where} {fault}"
    yield from cascades(connection, tables)
    if missing := list(lacking(_privileges(connection), settings)):
        yield f'the user "{scalar(connection, "SELECT CURRENT_USER()")}" of {where} lacks rights: {"; ".join(missing)}'
    elif _may_read_users(connection) and query(connection, "SELECT 1 FROM mysql.user WHERE User = ''"):
        yield f"the server of {where} lets anybody in under any name; DROP USER ''@... for each of them"


def too_old(product: str, version: str) -> Iterator[str]:
    """Why a server's version cannot take part. Pure."""
    found, oldest = re.match(r"(\d+)\.(\d+)", version), _OLDEST[product]
    if found and (int(found[1]), int(found[2])) < oldest:
        yield f"is {product} {found[0]}; {oldest[0]}.{oldest[1]} is the oldest that can take part"


def unsafe(settings: Mapping[str, str], replicates: bool) -> Iterator[str]:
    """What about the server makes fences, captures or commits worth less than they say. Pure."""
    if settings["read_only"] not in ("OFF", "0") or replicates:
        yield (
            "is a replica: what replication writes fires no trigger; give the DSN of its primary, or end the "
            "replication (RESET REPLICA ALL) and set read_only to OFF"
        )
    if settings.get("wsrep_on") == "ON" or settings.get("group_replication_single_primary_mode") == "OFF":
        yield (
            "belongs to a cluster with several writers, which do not see each other's locks; let it have one writer "
            "alone, outside of Galera, or give another server"
        )
    if settings["innodb_flush_log_at_trx_commit"] != "1":
        yield (
            "forgets its last commits in a power cut (innodb_flush_log_at_trx_commit is "
            f"{settings['innodb_flush_log_at_trx_commit']}); set it to 1"
        )
    if settings["log_bin"] == "ON" and settings["sync_binlog"] != "1":
        yield (
            "takes commits back after a power cut that had not reached its binary log (sync_binlog is "
            f"{settings['sync_binlog']}); set it to 1"
        )
    if settings["log_bin"] == "ON" and settings.get("binlog_format", "ROW") != "ROW":
        yield (
            f"writes statements to its binary log ({settings['binlog_format']}), for which it locks what "
            "triggers read; set binlog_format to ROW and let the application connect again"
        )
    if settings["foreign_key_checks"] == "OFF":
        yield "checks no foreign keys, so that TRUNCATE would pass the fence; set foreign_key_checks to ON"


def lacking(held: Mapping[str, set[str]], settings: Mapping[str, str]) -> Iterator[str]:
    """What a user must be allowed and is not, who holds that "server" and "database" rights. Pure."""
    if server := _ON_SERVER - held["server"]:
        yield f"GRANT {', '.join(sorted(server))} ON *.* to it"
    if database := _ON_DATABASE - held["database"] - held["server"]:
        yield f"GRANT {', '.join(sorted(database))} ON the database to it"
    if _HAND_ON not in held["database"] | held["server"]:
        yield "GRANT these ON the database to it WITH GRANT OPTION, for the user that applies changes"
    distrusts = settings["log_bin"] == "ON" and settings["log_bin_trust_function_creators"] != "ON"
    if distrusts and "SUPER" not in held["server"]:
        yield "GRANT SUPER ON *.* to it, or set log_bin_trust_function_creators to ON, since it is to make triggers"


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


def foreign_keys(connection: Connection) -> list[tuple[Any, ...]]:
    """(name, table, referenced table, delete rule, update rule) of foreign keys, but not of our own.

    Tables of other databases, which may lead into this one or be led to, bear the database's name.
    """
    return query(
        connection,
        "SELECT CONSTRAINT_NAME, "
        "IF(CONSTRAINT_SCHEMA = DATABASE(), TABLE_NAME, CONCAT(CONSTRAINT_SCHEMA, '.', TABLE_NAME)), "
        "IF(UNIQUE_CONSTRAINT_SCHEMA = DATABASE(), REFERENCED_TABLE_NAME, "
        "CONCAT(UNIQUE_CONSTRAINT_SCHEMA, '.', REFERENCED_TABLE_NAME)), DELETE_RULE, UPDATE_RULE "
        "FROM information_schema.REFERENTIAL_CONSTRAINTS "
        "WHERE DATABASE() IN (CONSTRAINT_SCHEMA, UNIQUE_CONSTRAINT_SCHEMA) "
        "AND LEFT(TABLE_NAME, %s) <> %s ORDER BY CONSTRAINT_NAME",
        (len(GUARD), GUARD),
    )


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


def _database(connection: Connection) -> str:
    return str(scalar(connection, "SELECT DATABASE()"))


def _replicates(connection: Connection) -> bool:
    return bool(
        query(connection, "SHOW ALL SLAVES STATUS" if is_mariadb(connection) else "SHOW REPLICA STATUS")
        if _allowed(connection, {"REPLICATION CLIENT", "REPLICA MONITOR", "SLAVE MONITOR"})
        else ()
    )


def _may_read_users(connection: Connection) -> bool:
    return "SELECT" in _privileges(connection)["server"]


def _allowed(connection: Connection, any_of: set[str]) -> bool:
    return bool(any_of & _privileges(connection)["server"])


def _privileges(connection: Connection) -> dict[str, set[str]]:
    """What SHOW GRANTS names, on the server and on this database."""
    database = _database(connection)
    held: dict[str, set[str]] = {"server": set(), "database": set()}
    everything = {*_ON_DATABASE, *_ON_SERVER, "SUPER", "REPLICATION CLIENT", "SLAVE MONITOR"}
    for (grant,) in query(connection, "SHOW GRANTS"):
        found = re.match(r"GRANT (.+?) ON (\*|`(?:[^`]|``)+`)\.\* TO ", grant)
        if not found:
            continue
        pattern = re.escape(found[2].strip("`")).replace("\\\\_", "\0").replace("_", ".").replace("\0", "_")
        where = "server" if found[2] == "*" else "database"
        if where == "server" or re.fullmatch(pattern.replace("%", ".*"), database):
            names = {name.strip() for name in found[1].split(",")}
            held[where] |= everything if "ALL PRIVILEGES" in names else names
            held[where] |= {_HAND_ON} if "WITH GRANT OPTION" in grant else set()
    return held
