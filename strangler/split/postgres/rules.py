"""What PostgreSQL enforces and does for those who write a table; see strangler.split.rules. All of it only reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from strangler.split.postgres.catalog import Connection
from strangler.split.rules import Kind, Rule, foreign_key, unique
from strangler.split.table import Table

_INDEXES = """
    SELECT i.indrelid, i.indisunique,
           -- The columns, where these are all that it goes by, and it goes for all rows.
           CASE WHEN i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL
                     AND position('NULLS NOT DISTINCT' in pg_get_indexdef(i.indexrelid)) = 0
                THEN ARRAY(SELECT a.attname::text
                           FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, position)
                           JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                           WHERE k.position <= i.indnkeyatts) ELSE '{}' END,
           regexp_replace(substring(pg_get_indexdef(i.indexrelid) from ' USING (.*)$'), ' WITH \\(.*?\\)', '')
           || CASE WHEN c.condeferrable THEN ' DEFERRABLE' ELSE '' END
           || CASE WHEN c.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END
    FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype = 'u'
    WHERE i.indrelid = ANY(%(tables)s::regclass[]) AND NOT i.indisprimary AND NOT i.indisexclusion AND i.indisvalid
"""
_CONSTRAINTS = """
    SELECT conrelid, contype::text, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid = ANY(%(tables)s::regclass[]) AND contype IN ('c', 'x')
"""
_FOREIGN_KEYS = """
    SELECT c.conrelid, c.confrelid,
           ARRAY(SELECT attname::text FROM unnest(c.conkey) WITH ORDINALITY k(attnum, position)
                 JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum ORDER BY k.position),
           ARRAY(SELECT attname::text FROM unnest(c.confkey) WITH ORDINALITY k(attnum, position)
                 JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.attnum ORDER BY k.position),
           coalesce(substring(pg_get_constraintdef(c.oid)
                              from '\\)((?: MATCH| ON| DEFERRABLE| INITIALLY| NOT).*)$'), '')
    FROM pg_constraint c
    WHERE c.contype = 'f' AND c.conparentid = 0
      AND c.conrelid = ANY(%(tables)s::regclass[]) AND c.confrelid = ANY(%(tables)s::regclass[])
"""
_COLUMNS = """
    SELECT a.attrelid, a.attname, a.attnotnull, a.attgenerated <> '', a.attidentity = 'a',
           a.attidentity = 'd' OR pg_get_serial_sequence(a.attrelid::regclass::text, a.attname) IS NOT NULL,
           pg_get_expr(d.adbin, d.adrelid),
           (SELECT c.collname FROM pg_collation c WHERE c.oid = a.attcollation AND a.attcollation <> t.typcollation)
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = ANY(%(tables)s::regclass[]) AND a.attnum > 0 AND NOT a.attisdropped
"""
_SECURITY = """
    SELECT c.oid, concat_ws(' ', 'FOR', p.polcmd, 'USING', pg_get_expr(p.polqual, c.oid),
                            'CHECK', pg_get_expr(p.polwithcheck, c.oid))
    FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid
    WHERE c.oid = ANY(%(tables)s::regclass[]) AND c.relrowsecurity
"""
# What some user may do who is no superuser; who needs a sequence for it must be allowed that, too.
_PRIVILEGES = """
    SELECT c.oid, p FROM pg_class c CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) p
    WHERE c.oid = ANY(%(tables)s::regclass[])
      AND EXISTS (
        SELECT FROM pg_roles r
        WHERE r.rolcanlogin AND NOT r.rolsuper
          AND has_schema_privilege(r.oid, c.relnamespace, 'USAGE') AND has_table_privilege(r.oid, c.oid, p)
          AND (p <> 'INSERT' OR NOT EXISTS (
            SELECT FROM pg_depend d JOIN pg_class s ON s.oid = d.objid
            WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
              AND d.deptype = 'a'
              -- Conditions have no order, and indexes hang on their table in the same way.
              AND CASE WHEN s.relkind = 'S' THEN NOT has_sequence_privilege(r.oid, s.oid, 'USAGE') END)))
"""
_TRIGGERS = """
    SELECT tgrelid, tgname FROM pg_trigger
    WHERE tgrelid = ANY(%(tables)s::regclass[]) AND NOT tgisinternal AND NOT starts_with(tgname, 'strangler_')
"""
_CONSTRAINT_KINDS = {"c": Kind.CHECK, "x": Kind.EXCLUSION}


def rules(connection: Connection, tables: Sequence[Table]) -> Iterator[Rule]:
    """See Catalog.rules."""
    names = _names(connection, tables)
    given = {"tables": [table.relation for table in tables]}
    for oid, is_unique, columns, text in connection.execute(_INDEXES, given).fetchall():
        common = unique(columns) if columns else ""
        yield Rule(table=names[oid], kind=Kind.UNIQUE if is_unique else Kind.INDEX, text=text, common=common)
    for oid, kind, text in connection.execute(_CONSTRAINTS, given).fetchall():
        yield Rule(table=names[oid], kind=_CONSTRAINT_KINDS[kind], text=text)
    for oid, parent, mine, theirs, actions in connection.execute(_FOREIGN_KEYS, given).fetchall():
        text = f"({', '.join(mine)}) to {names[parent]} ({', '.join(theirs)}){actions}"
        common = foreign_key(mine, names[parent], theirs)
        yield Rule(table=names[oid], kind=Kind.FOREIGN_KEY, text=text, common=common)
    yield from _columns(connection, tables, names)
    for query, kind in ((_SECURITY, Kind.SECURITY), (_PRIVILEGES, Kind.PRIVILEGE), (_TRIGGERS, Kind.TRIGGER)):
        for oid, text in connection.execute(query, given).fetchall():
            yield Rule(table=names[oid], kind=kind, text=text)
    for (name,) in connection.execute("SELECT extname FROM pg_extension WHERE extname <> 'plpgsql'").fetchall():
        yield Rule(table="", kind=Kind.EXTENSION, text=name)


def _columns(connection: Connection, tables: Sequence[Table], names: dict[int, str]) -> Iterator[Rule]:
    taken = {(table.name, column.name) for table in tables for column in table.columns}
    keys = {(table.name, column.name) for table in tables for column in table.key}
    given = {"tables": [table.relation for table in tables]}
    for oid, column, not_null, generated, always, numbered, expression, collation in connection.execute(
        _COLUMNS, given
    ).fetchall():
        table = names[oid]
        if generated:
            yield Rule(table=table, kind=Kind.GENERATED, text=f'of "{column}": {expression}')
        if (table, column) not in taken:
            continue
        if not_null:
            text = f'of "{column}"'
            yield Rule(table=table, kind=Kind.NOT_NULL, text=text, common="" if (table, column) in keys else text)
        if collation is not None:
            yield Rule(table=table, kind=Kind.COLLATION, text=f'of "{column}": {collation}')
        if always or numbered or (expression is not None and not generated):
            value = "always its own numbers" if always else "its own numbers" if numbered else expression
            yield Rule(table=table, kind=Kind.DEFAULT, text=f'of "{column}": {value}')


def _names(connection: Connection, tables: Sequence[Table]) -> dict[int, str]:
    found = connection.execute(
        "SELECT r::regclass::oid, n FROM unnest(%s::text[], %s::text[]) t(r, n)",
        ([table.relation for table in tables], [table.name for table in tables]),
    )
    return dict(found.fetchall())
