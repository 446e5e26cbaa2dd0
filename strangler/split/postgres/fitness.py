"""Whether a PostgreSQL database, its tables and the administrator's rights are fit for a move. Only reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from strangler.split.postgres.catalog import Connection, scalar
from strangler.split.table import Table

_OLDEST = 140_000
_PARAMETER_RIGHTS = 150_000
_SET_OPTION = 160_000
_DURABLE = ("fsync", "full_page_writes")
FORGETFUL = "strangler.forgetful"
"""A setting of servers whose rows nobody would miss, as in tests: they may forget their last commits."""


def unfit(connection: Connection, tables: Sequence[Table], followed: Sequence[Table]) -> Iterator[str]:
    """See Catalog.unfit."""
    yield from _unfit_database(connection)
    for table in tables:
        yield from _unfit_partitions(connection, table)
    claimed = [table.relation for table in tables]
    either = list(dict.fromkeys([*claimed, *(table.relation for table in followed)]))
    for relations, faults in ((either, _FAULTS), (claimed, _FAULTS_OF_CLAIMED)):
        for query, sentence in faults:
            for row in connection.execute(query, {"tables": relations}).fetchall():
                yield sentence.format(*row)


def lacking(connection: Connection, tables: Sequence[Table], *, filled: bool) -> Iterator[str]:
    """See Catalog.lacking."""
    superuser, user = connection.execute(
        "SELECT rolsuper, rolname FROM pg_roles WHERE rolname = current_user"
    ).fetchall()[0]
    if superuser:
        return
    missing = [
        *_lacking_in_database(connection),
        *_lacking_on_tables(connection, [table.relation for table in tables], filled),
    ]
    if missing:
        yield f'the user "{user}" lacks rights: {"; ".join(missing)}'


def _unfit_database(connection: Connection) -> Iterator[str]:
    where = f'database "{connection.info.dbname}"'
    for fault in (*too_old(connection.info.server_version), *forgetful(_settings(connection))):
        yield f"{where} {fault}"
    if scalar(connection, "SELECT pg_is_in_recovery()"):
        yield f"{where} is a replica that takes no writes; give the DSN of its primary"
    elif scalar(connection, "SELECT current_setting('default_transaction_read_only')") == "on":
        yield f"{where} takes no writes (default_transaction_read_only is on); set it to off"
    encoding = scalar(connection, "SELECT current_setting('server_encoding')")
    if encoding != "UTF8":
        yield f"{where} is encoded in {encoding}; only UTF8 can be compared"


def too_old(version: int) -> Iterator[str]:
    """Why a server's version cannot take part. Pure."""
    if version < _OLDEST:
        yield f"is PostgreSQL {version // 10_000}; 14 is the oldest that can take part"


def forgetful(settings: Mapping[str, str | None]) -> Iterator[str]:
    """Why a server may lose what it has committed. Pure."""
    for setting in _DURABLE:
        if settings[setting] == "off" and settings[FORGETFUL] != "on":
            yield (
                f"may forget or break what it has committed in a power cut ({setting} is off); set it to on "
                f"or, where nobody would miss the rows, {FORGETFUL}"
            )


def _settings(connection: Connection) -> dict[str, str | None]:
    names = [*_DURABLE, FORGETFUL]
    return dict(connection.execute("SELECT s, current_setting(s, true) FROM unnest(%s::text[]) s", (names,)).fetchall())


def _unfit_partitions(connection: Connection, table: Table) -> Iterator[str]:
    """Why a fence on the table, and on all its partitions, would not hold, in sentences; none where it would."""
    root = scalar(connection, "SELECT pg_partition_root(%s::regclass)::text", (table.relation,))
    if scalar(connection, "SELECT relispartition FROM pg_class WHERE oid = %s::regclass", (table.relation,)):
        yield f'"{table}" is a partition of "{root}", through which it is written without its fence; move "{root}"'
    if foreign := scalar(
        connection,
        """SELECT relid::regclass::text FROM pg_partition_tree(%s::regclass) JOIN pg_class ON pg_class.oid = relid
           WHERE relkind = 'f' LIMIT 1""",
        (table.relation,),
    ):
        yield f'the partition "{foreign}" of "{table}" lies on another server; bring its rows here, or detach it'


_FAULTS = (
    (
        """SELECT t, c.relpersistence FROM unnest(%(tables)s::text[]) t JOIN pg_class c ON c.oid = t::regclass
           WHERE c.relpersistence <> 'p'""",
        'table "{0}" is UNLOGGED and would be empty after a crash; ALTER TABLE {0} SET LOGGED',
    ),
    (
        # A subscription's worker fires neither statement triggers nor, as it writes as a replica, the captures.
        """SELECT t, s.subname FROM unnest(%(tables)s::text[]) t
           JOIN pg_subscription_rel r
             ON r.srrelid = t::regclass OR r.srrelid IN (SELECT relid FROM pg_partition_tree(t::regclass))
           JOIN pg_subscription s ON s.oid = r.srsubid""",
        'table "{0}" is written by the subscription "{1}", which no fence stops; take it out of its publication and '
        "refresh the subscription, or give the DSN of the publisher",
    ),
)
_FAULTS_OF_CLAIMED = (
    (
        """SELECT t, g.tgname FROM unnest(%(tables)s::text[]) t JOIN pg_trigger g ON g.tgrelid = t::regclass
           WHERE NOT g.tgisinternal AND g.tgenabled IN ('A', 'R') AND g.tgname NOT LIKE 'strangler\\_%%'""",
        'the trigger "{1}" on "{0}" would run again for rows that are carried over; ALTER TABLE {0} ENABLE TRIGGER {1}',
    ),
    (
        """SELECT t FROM unnest(%(tables)s::text[]) t JOIN pg_class c ON c.oid = t::regclass
           WHERE c.relrowsecurity
             AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'strangler_applier' AND rolbypassrls)""",
        'table "{0}" has row level security, which would hide rows from the applier; CREATE ROLE strangler_applier '
        "NOLOGIN BYPASSRLS, or ALTER it",
    ),
)


def _lacking_in_database(connection: Connection) -> Iterator[str]:
    database = connection.info.dbname
    schema = connection.execute(
        """SELECT pg_has_role(current_user, nspowner, 'USAGE'), pg_get_userbyid(nspowner)
           FROM pg_namespace WHERE nspname = 'strangler'"""
    ).fetchone()
    if schema is None:
        if not scalar(connection, "SELECT has_database_privilege(current_database(), 'CREATE')"):
            yield f'GRANT CREATE ON DATABASE "{database}" to it'
    elif not schema[0]:
        yield f'the schema "strangler" belongs to "{schema[1]}"; connect as that one, or GRANT "{schema[1]}" to it'
    yield from _lacking_applier(connection)
    if connection.info.server_version < _PARAMETER_RIGHTS:
        yield "before PostgreSQL 15 only a superuser may set session_replication_role"
    elif not scalar(connection, "SELECT has_parameter_privilege('session_replication_role', 'SET')"):
        yield "GRANT SET ON PARAMETER session_replication_role to it"
    if not scalar(connection, "SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')"):
        yield "GRANT pg_read_all_stats to it, without which it does not see how long others' transactions last"


def _lacking_applier(connection: Connection) -> Iterator[str]:
    if scalar(connection, "SELECT count(*) FROM pg_roles WHERE rolname = 'strangler_applier'") == 0:
        if not scalar(connection, "SELECT rolcreaterole FROM pg_roles WHERE rolname = current_user"):
            yield "CREATE ROLE strangler_applier NOLOGIN and GRANT it to it, or give it CREATEROLE"
        return
    option = "SET" if connection.info.server_version >= _SET_OPTION else "MEMBER"
    may = "SELECT pg_has_role(current_user, 'strangler_applier', %s)"
    if not scalar(connection, may, (option,)) and not scalar(connection, may, ("MEMBER WITH ADMIN OPTION",)):
        yield "GRANT strangler_applier to it"


def _lacking_on_tables(connection: Connection, relations: list[str], filled: bool) -> Iterator[str]:
    for relation, owner in connection.execute(
        """SELECT t, pg_get_userbyid(c.relowner) FROM unnest(%s::text[]) t JOIN pg_class c ON c.oid = t::regclass
           WHERE NOT pg_has_role(current_user, c.relowner, 'USAGE')""",
        (relations,),
    ).fetchall():
        yield (
            f'table "{relation}" belongs to "{owner}", and only its owner may switch triggers and take them off; '
            f'GRANT "{owner}" to it'
        )
    for (schema,) in connection.execute(
        """SELECT DISTINCT n.nspname FROM unnest(%s::text[]) t
           JOIN pg_class c ON c.oid = t::regclass JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE NOT has_schema_privilege(n.oid, 'USAGE WITH GRANT OPTION')
             AND NOT coalesce(has_schema_privilege(
                 (SELECT oid FROM pg_roles WHERE rolname = 'strangler_applier'), n.oid, 'USAGE'), false)
             AND NOT EXISTS (SELECT FROM aclexplode(n.nspacl) a WHERE a.grantee = 0 AND a.privilege_type = 'USAGE')""",
        (relations,),
    ).fetchall():
        yield f'GRANT USAGE ON SCHEMA "{schema}" to strangler_applier, or to it WITH GRANT OPTION'
    if filled:
        for (schema,) in connection.execute(
            """SELECT DISTINCT n.nspname FROM unnest(%s::text[]) t
               JOIN pg_class c ON c.oid = t::regclass JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE NOT has_schema_privilege(n.oid, 'CREATE')""",
            (relations,),
        ).fetchall():
            yield f'GRANT CREATE ON SCHEMA "{schema}" to it, for the indexes that are made after the copy'
