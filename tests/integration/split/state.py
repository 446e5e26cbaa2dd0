"""Everything in a PostgreSQL database that somebody could have changed, to see that nobody did."""

import psycopg

_SCHEMA = """
    SELECT 'class', c.oid::regclass::text, c.relkind::text, c.relpersistence::text, c.relrowsecurity::text,
           c.relacl::text, c.relowner::text
    FROM pg_class c WHERE c.relnamespace::regnamespace::text !~ '^pg_|^information_schema'
    UNION ALL
    SELECT 'column', attrelid::regclass::text, attname::text, atttypid::text, attnotnull::text, attnum::text, ''
    FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
    WHERE c.relnamespace::regnamespace::text !~ '^pg_|^information_schema'
    UNION ALL
    SELECT 'trigger', tgrelid::regclass::text, tgname::text, tgenabled::text, pg_get_triggerdef(oid), '', ''
    FROM pg_trigger
    UNION ALL
    SELECT 'constraint', conrelid::regclass::text, conname::text, pg_get_constraintdef(oid), '', '', ''
    FROM pg_constraint WHERE connamespace::regnamespace::text !~ '^pg_|^information_schema'
    UNION ALL
    SELECT 'function', oid::regprocedure::text, md5(prosrc), '', '', '', ''
    FROM pg_proc WHERE pronamespace::regnamespace::text !~ '^pg_|^information_schema'
    UNION ALL
    SELECT 'schema', nspname::text, nspacl::text, '', '', '', '' FROM pg_namespace WHERE nspname !~ '^pg_'
    UNION ALL
    SELECT 'role', rolname::text, rolsuper::text, rolcreaterole::text, '', '', '' FROM pg_roles
    ORDER BY 1, 2, 3, 4, 5
"""
_TABLES = """
    SELECT c.oid::regclass::text, relkind::text FROM pg_class c
    WHERE relkind IN ('r', 'S') AND relnamespace::regnamespace::text !~ '^pg_|^information_schema' ORDER BY 1
"""


def state(connection: psycopg.Connection) -> list[tuple[object, ...]]:
    """The schema, who may do what, and the rows of every table and sequence."""
    found = connection.execute(_SCHEMA).fetchall()
    for table, kind in connection.execute(_TABLES).fetchall():
        if kind == "S":
            rows = f"SELECT last_value, is_called FROM {table}"
        else:
            rows = f"SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM {table} t"
        found += [(table, *row) for row in connection.execute(rows).fetchall()]
    return found
