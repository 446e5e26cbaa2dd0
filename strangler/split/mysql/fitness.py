"""Why a server of MySQL or MariaDB, or a user, cannot take part in a move. Everything here only reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from strangler.split.mysql.catalog import current_database, is_mariadb, query, scalar
from strangler.split.mysql.references import cascades
from strangler.split.mysql.wording import Connection
from strangler.split.table import Table

_OLDEST = {"MariaDB": (10, 6), "MySQL": (8, 0)}
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


def unfit(connection: Connection, tables: Sequence[Table]) -> Iterator[str]:
    """See Catalog.unfit."""
    where = f'database "{current_database(connection)}"'
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
    database = current_database(connection)
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
