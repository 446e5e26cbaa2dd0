"""The statements of PostgreSQL that keep two shapes equal, or guard the old one; `shape_rows.py` has the rows.

See strangler.split.shapes. Each list is to be run in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import LiteralString

from psycopg import sql

from strangler.split.postgres import wording
from strangler.split.shapes import Shapes

WIDE: tuple[LiteralString, ...] = ("delete", "insert", "update", "truncate")
NARROW: tuple[LiteralString, ...] = ("write", "empty", "pair")
"""The triggers by which both are kept equal."""
GUARDS: tuple[LiteralString, ...] = ("keep", "given")
"""The triggers that refuse whoever changes the old columns, or gives them a value."""


@dataclass(frozen=True, kw_only=True)
class TwoShapes:
    """The statements of one split."""

    of: Shapes

    def expand(self) -> Iterator[sql.Composed]:
        """Keep both equal from now on. Safe to run again."""
        yield from self.part()
        for function, body in (("wide", _WIDE), ("narrow", _NARROW), ("pair", _PAIR)):
            yield self._function(function, body)
        # Before: a key of the narrow table that points at the wide one need not be deferred.
        yield self.write("CREATE TRIGGER {delete} BEFORE DELETE ON {wide} FOR EACH ROW EXECUTE FUNCTION {wide_f}()")
        yield self.write("CREATE TRIGGER {insert} AFTER INSERT ON {wide} FOR EACH ROW EXECUTE FUNCTION {wide_f}()")
        yield self.write(
            "CREATE TRIGGER {update} AFTER UPDATE ON {wide} FOR EACH ROW "
            "WHEN ({marked} <> 'fills' "
            "AND (OLD.{pk} <> NEW.{pk} OR pg_catalog.record_image_ne(ROW({old}), ROW({new})))) "
            "EXECUTE FUNCTION {wide_f}()"
        )
        yield self.write("CREATE TRIGGER {truncate} AFTER TRUNCATE ON {wide} EXECUTE FUNCTION {wide_f}()")
        yield self.write(
            "CREATE TRIGGER {write} AFTER INSERT OR UPDATE ON {narrow} FOR EACH ROW EXECUTE FUNCTION {narrow_f}()"
        )
        yield self.write("CREATE TRIGGER {empty} AFTER TRUNCATE ON {narrow} EXECUTE FUNCTION {narrow_f}()")
        yield self.write(
            "CREATE CONSTRAINT TRIGGER {pair} AFTER INSERT OR DELETE OR UPDATE ON {narrow} "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {pair_f}()"
        )

    def part(self) -> Iterator[sql.Composed]:
        """Keep them equal no longer. Safe to run again."""
        yield self.write("LOCK TABLE {wide} IN ACCESS EXCLUSIVE MODE")
        yield self.write("LOCK TABLE {narrow} IN ACCESS EXCLUSIVE MODE")
        for table, triggers in (("wide", WIDE), ("narrow", NARROW)):
            for trigger in triggers:
                yield self.write(f"DROP TRIGGER IF EXISTS {{{trigger}}} ON {{{table}}}")
        for function in ("wide_f", "narrow_f", "pair_f"):
            yield self.write(f"DROP FUNCTION IF EXISTS {{{function}}}()")

    def guard(self, defaults: sql.Composable) -> Iterator[sql.Composed]:
        """Let nobody change the old columns, nor give them another value than "defaults". Safe to run again."""
        yield from self.unguard()
        yield self._function("guard", _GUARD)
        yield self.write(
            "CREATE TRIGGER {keep} AFTER UPDATE ON {wide} FOR EACH ROW "
            "WHEN (pg_catalog.record_image_ne(ROW({old}), ROW({new})) AND {marked} = '') EXECUTE FUNCTION {guard_f}()"
        )
        yield self.write(
            "CREATE TRIGGER {given} AFTER INSERT ON {wide} FOR EACH ROW "
            "WHEN (pg_catalog.record_image_ne(ROW({new}), ROW({defaults}))) EXECUTE FUNCTION {guard_f}()",
            defaults=defaults,
        )

    def unguard(self) -> Iterator[sql.Composed]:
        """Let everybody change them again. Safe to run again."""
        yield self.write("LOCK TABLE {wide} IN ACCESS EXCLUSIVE MODE")
        for trigger in GUARDS:
            yield self.write(f"DROP TRIGGER IF EXISTS {{{trigger}}} ON {{wide}}")
        yield self.write("DROP FUNCTION IF EXISTS {guard_f}()")

    def write(self, template: LiteralString, **more: sql.Composable) -> sql.Composed:
        """A statement in which the tables are called wide and narrow, their keys pk and key, and the columns "columns".

        The columns of a row are called like the row: old, new, t (of the wide one), n (of the narrow one). "marked"
        tells a write that carries a value over, "carries" or "fills", from one of an application, "".
        """
        of = self.of
        words: dict[str, sql.Composable] = {
            "wide": wording.relation(of.wide),
            "narrow": wording.relation(of.narrow),
            "pk": sql.Identifier(of.wide.key[0].name),
            "key": sql.Identifier(of.narrow.key[0].name),
            "columns": sql.SQL(", ").join(map(sql.Identifier, of.columns)),
            "marked": sql.SQL("coalesce(pg_catalog.current_setting('strangler.two_shapes', true), '')"),
            "set_new": self._set("NEW"),
            "set_n": self._set("n"),
            "set_excluded": self._set("excluded"),
            "set_default": sql.SQL(", ").join(
                sql.SQL("{} = DEFAULT").format(sql.Identifier(column)) for column in of.columns
            ),
            "gone": sql.Literal(of.gone),
            "alone": sql.Literal(of.alone),
        }
        words |= {alias: self._of(alias) for alias in ("old", "new", "t", "n", "excluded")}
        words |= {name: sql.Identifier(of.name(name)) for name in (*WIDE, *NARROW, *GUARDS)}
        words |= {f"{name}_f": sql.Identifier("strangler", of.name(name)) for name in _FUNCTIONS}
        return sql.SQL(template).format(**words, **more)

    def _of(self, alias: LiteralString) -> sql.Composed:
        return sql.SQL(", ").join(sql.SQL(alias + ".") + sql.Identifier(column) for column in self.of.columns)

    def _set(self, alias: LiteralString) -> sql.Composed:
        return sql.SQL(", ").join(
            sql.SQL("{0} = {1}.{0}").format(sql.Identifier(column), sql.SQL(alias)) for column in self.of.columns
        )

    def _function(self, name: LiteralString, body: LiteralString) -> sql.Composed:
        # Whoever may write the one table needs no right on the other.
        return self.write(
            f"CREATE FUNCTION {{{name}_f}}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER "
            "SET search_path = '' SET strangler.two_shapes = 'carries' AS {body}",
            body=sql.Literal(self.write(body).as_string()),
        )


_FUNCTIONS = ("wide", "narrow", "pair", "guard")
_WIDE = """
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        DELETE FROM {narrow};
        RETURN NULL;
    END IF;
    IF TG_OP = 'DELETE' THEN
        DELETE FROM {narrow} WHERE {key} = OLD.{pk};
        RETURN OLD;
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.{pk} <> NEW.{pk} THEN
        UPDATE {narrow} SET {key} = NEW.{pk} WHERE {key} = OLD.{pk};
    END IF;
    -- Writing what is there already ends the echo of the other side.
    INSERT INTO {narrow} AS n ({key}, {columns}) VALUES (NEW.{pk}, {new})
    ON CONFLICT ({key}) DO UPDATE SET {set_excluded}
    WHERE pg_catalog.record_image_ne(ROW({n}), ROW({excluded}));
    RETURN NULL;
END
"""
_NARROW = """
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        IF EXISTS (SELECT FROM {wide}) THEN
            RAISE EXCEPTION USING ERRCODE = 'SF005', MESSAGE = {alone};
        END IF;
        RETURN NULL;
    END IF;
    UPDATE {wide} AS t SET {set_new}
    WHERE t.{pk} = NEW.{key} AND pg_catalog.record_image_ne(ROW({t}), ROW({new}));
    RETURN NULL;
END
"""
_PAIR = """
DECLARE
    met record;
BEGIN
    -- At the end of the transaction: by then a deletion that began with either has reached the other.
    FOR met IN SELECT NEW.{key} AS one WHERE TG_OP <> 'DELETE' UNION SELECT OLD.{key} WHERE TG_OP <> 'INSERT' LOOP
        IF EXISTS (SELECT FROM {wide} WHERE {pk} = met.one) <> EXISTS (SELECT FROM {narrow} WHERE {key} = met.one) THEN
            RAISE EXCEPTION USING ERRCODE = 'SF005', MESSAGE = {alone};
        END IF;
    END LOOP;
    RETURN NULL;
END
"""
_GUARD = """
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'SF005', MESSAGE = {gone}, HINT = 'Write there, and leave these columns out.';
END
"""
