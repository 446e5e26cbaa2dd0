"""Types and values between engines: the same on both sides, or refused."""

import json
import sqlite3
import uuid
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from strangler.split.exchange import canonical
from strangler.split.mapping import MARIADB, MYSQL, POSTGRESQL, SQLITE, map_columns, misfit
from strangler.split.sqlite import SqliteStore, catalog
from strangler.split.table import EVERYTHING, Column, Family, Table, canonical_json


def column(type, family=Family.OTHER, *size, folds=False):
    return Column(name="c", type=type, family=family, size=size, folds=folds)


PG = {
    "boolean": column("boolean", Family.BOOLEAN),
    "smallint": column("smallint", Family.INTEGER, 16),
    "integer": column("integer", Family.INTEGER, 32),
    "bigint": column("bigint", Family.INTEGER, 64),
    "numeric(10,2)": column("numeric(10,2)", Family.DECIMAL, 10, 2),
    "numeric(20,0)": column("numeric(20,0)", Family.DECIMAL, 20, 0),
    "numeric": column("numeric", Family.DECIMAL),
    "double": column("double precision", Family.FLOAT),
    "text": column("text", Family.TEXT),
    "varchar(100)": column("character varying(100)", Family.TEXT, 100),
    "bytea": column("bytea", Family.BYTES),
    "uuid": column("uuid", Family.UUID),
    "date": column("date", Family.DATE),
    "time": column("time without time zone", Family.TIME),
    "timestamptz": column("timestamp with time zone", Family.TIMESTAMP),
    "timestamptz(3)": column("timestamp(3) with time zone", Family.TIMESTAMP, 3),
    "jsonb": column("jsonb", Family.JSON),
}
LITE = {
    "bool": column("bool", Family.BOOLEAN),
    "integer": column("integer", Family.INTEGER, 64),
    "decimal": column("decimal", Family.DECIMAL),
    "real": column("real", Family.FLOAT),
    "text": column("text", Family.TEXT),
    "varchar(100)": column("varchar(100)", Family.TEXT, 100),
    "char(32)": column("char(32)", Family.TEXT, 32),
    "BLOB": column("BLOB", Family.BYTES),
    "date": column("date", Family.DATE),
    "time": column("time", Family.TIME),
    "datetime": column("datetime", Family.TIMESTAMP),
}
MY = {
    "tinyint(1)": column("tinyint(1)", Family.INTEGER, 8),
    "int": column("int(11)", Family.INTEGER, 32),
    "int unsigned": column("int(10) unsigned", Family.INTEGER, 33),
    "bigint": column("bigint(20)", Family.INTEGER, 64),
    "bigint unsigned": column("bigint(20) unsigned", Family.INTEGER, 65),
    "decimal(10,2)": column("decimal(10,2)", Family.DECIMAL, 10, 2),
    "double": column("double", Family.FLOAT),
    "longtext": column("longtext", Family.TEXT),
    "json": column("json", Family.JSON),
    "varchar(50)": column("varchar(50)", Family.TEXT, 50),
    "varchar(100)": column("varchar(100)", Family.TEXT, 100),
    "char(32)": column("char(32)", Family.TEXT, 32),
    "longblob": column("longblob", Family.BYTES),
    "datetime": column("datetime", Family.TIMESTAMP, 0),
    "datetime(6)": column("datetime(6)", Family.TIMESTAMP, 6),
}
ENGINES = {POSTGRESQL: PG, SQLITE: LITE, MYSQL: MY}


@pytest.mark.parametrize(
    ("engines", "source", "target", "family"),
    [
        ((POSTGRESQL, SQLITE), "uuid", "char(32)", Family.UUID),
        ((SQLITE, POSTGRESQL), "char(32)", "uuid", Family.UUID),
        ((MYSQL, POSTGRESQL), "char(32)", "uuid", Family.UUID),
        ((POSTGRESQL, MYSQL), "timestamptz", "datetime(6)", Family.TIMESTAMP),
        ((POSTGRESQL, SQLITE), "timestamptz", "datetime", Family.TIMESTAMP),
        ((POSTGRESQL, MYSQL), "boolean", "tinyint(1)", Family.BOOLEAN),
        ((MYSQL, SQLITE), "tinyint(1)", "bool", Family.BOOLEAN),
        ((POSTGRESQL, SQLITE), "numeric(10,2)", "decimal", Family.DECIMAL),
        ((POSTGRESQL, MYSQL), "jsonb", "longtext", Family.JSON),
        ((SQLITE, POSTGRESQL), "text", "jsonb", Family.JSON),
        ((MYSQL, SQLITE), "json", "text", Family.JSON),
        ((MYSQL, POSTGRESQL), "bigint unsigned", "numeric(20,0)", Family.DECIMAL),
        ((POSTGRESQL, MYSQL), "numeric(20,0)", "bigint unsigned", Family.DECIMAL),
        ((MYSQL, POSTGRESQL), "int unsigned", "bigint", Family.INTEGER),
        ((POSTGRESQL, MYSQL), "integer", "int unsigned", Family.INTEGER),
        ((SQLITE, POSTGRESQL), "integer", "smallint", Family.INTEGER),
        ((POSTGRESQL, SQLITE), "bytea", "BLOB", Family.BYTES),
        ((POSTGRESQL, SQLITE), "double", "real", Family.FLOAT),
        ((MYSQL, POSTGRESQL), "varchar(50)", "varchar(100)", Family.TEXT),
        ((POSTGRESQL, SQLITE), "date", "date", Family.DATE),
        ((POSTGRESQL, SQLITE), "time", "time", Family.TIME),
    ],
)
def test_columns_as_django_makes_them_share_a_family(engines, source, target, family):
    mine, theirs = ENGINES[engines[0]][source], ENGINES[engines[1]][target]
    mapped = map_columns(mine, theirs, engines)
    assert [one.family for one in mapped] == [family, family]
    assert [one.type for one in mapped] == [mine.type, theirs.type]


@pytest.mark.parametrize(
    ("engines", "source", "target", "why"),
    [
        ((MYSQL, POSTGRESQL), MY["bigint unsigned"], PG["bigint"], r"takes fewer numbers .* make it numeric\(20\)"),
        ((MYSQL, POSTGRESQL), MY["int unsigned"], PG["integer"], "takes fewer numbers .* make it bigint"),
        ((MYSQL, SQLITE), MY["bigint unsigned"], LITE["integer"], "takes fewer numbers"),
        ((POSTGRESQL, MYSQL), PG["bigint"], MY["int"], "takes fewer numbers"),
        ((POSTGRESQL, MYSQL), PG["varchar(100)"], MY["varchar(50)"], "is narrower"),
        ((POSTGRESQL, MYSQL), PG["text"], MY["varchar(50)"], "is narrower"),
        ((POSTGRESQL, SQLITE), PG["text"], LITE["varchar(100)"], "is narrower"),
        ((POSTGRESQL, MYSQL), PG["numeric"], MY["decimal(10,2)"], "is narrower"),
        ((POSTGRESQL, MYSQL), column("numeric(12,2)", Family.DECIMAL, 12, 2), MY["decimal(10,2)"], "is narrower"),
        ((POSTGRESQL, MYSQL), column("numeric(10,3)", Family.DECIMAL, 10, 3), MY["decimal(10,2)"], "is narrower"),
        ((POSTGRESQL, SQLITE), PG["numeric"], LITE["decimal"], "SQLite keeps 15 digits"),
        ((POSTGRESQL, SQLITE), PG["numeric(20,0)"], LITE["decimal"], "SQLite keeps 15 digits"),
        ((POSTGRESQL, MYSQL), PG["timestamptz"], MY["datetime"], "is narrower"),
        ((MYSQL, POSTGRESQL), MY["datetime(6)"], PG["timestamptz(3)"], "is narrower"),
        ((POSTGRESQL, SQLITE), PG["uuid"], LITE["text"], r"a uuid as char\(32\)"),
        ((POSTGRESQL, SQLITE), PG["boolean"], LITE["integer"], "holds boolean and .* integer values"),
        ((POSTGRESQL, SQLITE), PG["jsonb"], LITE["varchar(100)"], "holds json and .* text values"),
        ((POSTGRESQL, SQLITE), PG["timestamptz"], LITE["date"], "holds timestamp and .* date values"),
        ((POSTGRESQL, SQLITE), column("real"), LITE["real"], "make it double precision"),
        ((MYSQL, POSTGRESQL), column("float"), PG["double"], "make it double precision"),
        ((POSTGRESQL, SQLITE), column("interval"), LITE["integer"], "durations as a bigint"),
        ((POSTGRESQL, SQLITE), column("integer[]"), LITE["text"], "arrays as JSON"),
        ((POSTGRESQL, SQLITE), column("int4range"), LITE["text"], "both bounds"),
        ((POSTGRESQL, SQLITE), column("hstore"), LITE["text"], "make it jsonb"),
        ((POSTGRESQL, SQLITE), column("inet"), column("char(39)", Family.TEXT, 39), r"make it varchar\(39\)"),
        ((POSTGRESQL, SQLITE), column("character(5)"), LITE["text"], "not padded"),
        ((POSTGRESQL, SQLITE), column("time with time zone"), LITE["time"], "without time zone"),
        ((POSTGRESQL, SQLITE), column("citext"), LITE["text"], r"index on lower\(\)"),
        ((SQLITE, POSTGRESQL), column("uuid"), PG["uuid"], r"declare char\(32\)"),
        ((POSTGRESQL, MYSQL), column("point"), column("point"), "change it to a common type first"),
        ((SQLITE, POSTGRESQL), replace(LITE["text"], folds=True), PG["text"], "a unique index takes"),
        ((POSTGRESQL, MYSQL), PG["varchar(100)"], replace(MY["varchar(100)"], folds=True), "a unique index takes"),
        ((POSTGRESQL, MARIADB), PG["bytea"], replace(MY["longblob"], folds=True), "a unique index takes"),
        ((MARIADB, POSTGRESQL), column("enum('a','b')"), PG["text"], "make it varchar"),
    ],
)
def test_what_is_not_exact_is_refused_with_a_way_out(engines, source, target, why):
    with pytest.raises(ValueError, match=why):
        map_columns(source, target, engines)


any_column = st.sampled_from([(engine, one) for engine, columns in ENGINES.items() for one in columns.values()])


@given(any_column, any_column)
def test_the_mapping_is_symmetric_or_refused(one, other):
    (left, mine), (right, theirs) = one, other
    assume(left != right)
    try:
        there = map_columns(mine, theirs, (left, right))
        back = map_columns(theirs, mine, (right, left))
    except ValueError:
        return
    assert there == tuple(reversed(back))
    assert there[0].family is there[1].family


VALUES = {
    Family.BOOLEAN: st.booleans(),
    Family.INTEGER: st.integers(-(2**63), 2**63 - 1),
    Family.DECIMAL: st.decimals(-(10**12), 10**12, places=3),
    Family.FLOAT: st.floats(allow_nan=False),
    Family.TEXT: st.text(),
    Family.BYTES: st.binary(),
    Family.UUID: st.uuids(),
    Family.DATE: st.dates(),
    Family.TIME: st.times(),
    Family.TIMESTAMP: st.datetimes(),
    Family.JSON: st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=6,
    ).map(lambda value: canonical_json(json.dumps(value))),
}
STORED_AS = {
    Family.BOOLEAN: "bool",
    Family.INTEGER: "bigint",
    Family.DECIMAL: "decimal",
    Family.FLOAT: "real",
    Family.TEXT: "text",
    Family.BYTES: "BLOB",
    Family.UUID: "char(32)",
    Family.DATE: "date",
    Family.TIME: "time",
    Family.TIMESTAMP: "datetime",
    Family.JSON: "text",
}


@pytest.fixture(scope="module")
def lite():
    """One table in SQLite with a column of every family."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    names = {family: f"c_{family}" for family in STORED_AS}
    written = ", ".join(f"{names[family]} {type}" for family, type in STORED_AS.items())
    connection.execute(f"CREATE TABLE thing (id integer PRIMARY KEY, {written})")
    table = catalog.describe(connection, "thing", None)
    columns = [table.columns[0]]
    for family, one in zip(STORED_AS, table.columns[1:], strict=True):
        columns.append(replace(one, family=family, size=() if family is Family.UUID else one.size))
    yield connection, replace(table, columns=tuple(columns))
    connection.close()


def test_sqlites_own_families_are_those_of_its_declarations(lite):
    connection, _ = lite
    table = catalog.describe(connection, "thing", None)
    natural = [one.family for one in table.columns[1:]]
    wanted = [{Family.UUID: Family.TEXT, Family.JSON: Family.TEXT}.get(family, family) for family in STORED_AS]
    assert natural == wanted


@given(st.fixed_dictionaries({family: st.none() | values for family, values in VALUES.items()}))
def test_every_value_of_every_family_survives_sqlite(lite, values):
    connection, table = lite
    assert isinstance(table, Table)
    rows = SqliteStore("source", Path(), connection, applier=False)
    row = (1, *(values[family] for family in STORED_AS))
    for value, one in zip(row, table.columns, strict=True):
        reason = misfit(value, one, SQLITE)
        assume(reason is None)
    rows.delete(table, EVERYTHING)
    assert rows.insert(table, [row]) == 1
    ((*read,),) = rows.values(table, EVERYTHING)
    for value, found, one in zip(row, read, table.columns, strict=True):
        assert canonical(found, one.family) == canonical(value, one.family)
        assert misfit(found, one, SQLITE) is None
    # And what is read is written again as it was.
    rows.delete(table, EVERYTHING)
    rows.insert(table, [tuple(read)])
    assert list(rows.values(table, EVERYTHING)) == [tuple(read)]


@given(
    st.sampled_from(list(VALUES)).flatmap(
        lambda family: st.tuples(st.just(family), VALUES[family], VALUES[family] | st.none())
    )
)
def test_two_canonical_texts_are_equal_if_and_only_if_the_values_are(given_values):
    family, mine, theirs = given_values
    assert (canonical(mine, family) == canonical(theirs, family)) == (mine == theirs)


@pytest.mark.parametrize(
    ("value", "column", "engine", "why"),
    [
        ("a\0b", PG["text"], POSTGRESQL, "with a NUL character"),
        ('{"a":"\\u0000"}', PG["jsonb"], POSTGRESQL, "with a NUL character"),
        ('{"a":[18446744073709551616]}', MY["json"], MYSQL, "18446744073709551616, which MySQL would round"),
        ("0.1234567890123456789", MY["json"], MYSQL, "0.1234567890123456789, which MySQL would round"),
        ("a" * 101, PG["varchar(100)"], POSTGRESQL, "longer than character varying"),
        ("\ud800", LITE["text"], SQLITE, "half a character"),
        (2**31, PG["integer"], POSTGRESQL, "out of the range of integer"),
        (-1, MY["int unsigned"], MYSQL, "out of the range of int"),
        (2**64, MY["bigint unsigned"], MYSQL, "out of the range"),
        ("many", PG["integer"], POSTGRESQL, "no whole number"),
        (1.5, PG["bigint"], POSTGRESQL, "no whole number"),
        (Decimal("1.005"), PG["numeric(10,2)"], POSTGRESQL, "more digits than numeric"),
        (Decimal("123456789"), PG["numeric(10,2)"], POSTGRESQL, "more digits than numeric"),
        (Decimal("NaN"), LITE["decimal"], SQLITE, "no number that every engine has"),
        (Decimal("1234567890.123456"), LITE["decimal"], SQLITE, "more than the 15 digits"),
        (float("nan"), LITE["real"], SQLITE, "which sqlite does not have"),
        (float("inf"), MY["double"], MYSQL, "which mysql does not have"),
        ("infinity", PG["timestamptz"], POSTGRESQL, "which is no date and time"),
        ("0000-00-00", PG["date"], POSTGRESQL, "which is no date"),
        (datetime(2024, 1, 1, 0, 0, 0, 1500), PG["timestamptz(3)"], POSTGRESQL, "finer than"),  # noqa: DTZ001
        (datetime(900, 1, 1), MY["datetime(6)"], MYSQL, "before the year 1000"),  # noqa: DTZ001
        (date(900, 1, 1), column("date", Family.DATE), MYSQL, "before the year 1000"),
        (datetime(2040, 1, 1), column("timestamp(6)", Family.TIMESTAMP, 6), MYSQL, "out of the range"),  # noqa: DTZ001
        (float("nan"), MY["double"], MARIADB, "which mariadb does not have"),
        (date(900, 1, 1), column("date", Family.DATE), MARIADB, "before the year 1000"),
        ("a ", column("char(5) utf8mb4_bin", Family.TEXT, 5), MARIADB, "which ends with a blank"),
        (
            "\U0001f600",
            column("varchar(5) utf8mb3_general_ci", Family.TEXT, 5),
            MARIADB,
            "cannot write; make it utf8mb4",
        ),
        ("\u2603", column("varchar(5) latin1_swedish_ci", Family.TEXT, 5), MYSQL, "cannot write; make it utf8mb4"),
        (b"\0", column("binary(4)", Family.BYTES, 4), MARIADB, "which is shorter than binary"),
        (2, LITE["bool"], SQLITE, "neither true nor false"),
        (b"{", PG["jsonb"], POSTGRESQL, "no JSON"),
        ("text", LITE["BLOB"], SQLITE, "no bytes"),
        ("24:00:00", PG["time"], POSTGRESQL, "no time"),
        ("no", PG["uuid"], POSTGRESQL, "no UUID"),
    ],
)
def test_values_that_do_not_fit_are_told(value, column, engine, why):
    assert why in misfit(value, column, engine)


@pytest.mark.parametrize(
    ("value", "column", "engine"),
    [
        (None, PG["integer"], POSTGRESQL),
        ('{"a":"\\\\u0000"}', PG["jsonb"], POSTGRESQL),
        ("a\0b", LITE["text"], SQLITE),
        (2**64 - 1, MY["bigint unsigned"], MYSQL),
        ("[18446744073709551615,-1.5e+300,0.1]", MY["json"], MYSQL),
        (float("inf"), LITE["real"], SQLITE),
        (float("nan"), PG["double"], POSTGRESQL),
        (Decimal("12345678.90"), PG["numeric(10,2)"], POSTGRESQL),
        (Decimal("0.000"), PG["numeric(10,2)"], POSTGRESQL),
        (Decimal("1E+7"), PG["numeric(10,2)"], POSTGRESQL),
        (5, PG["numeric(20,0)"], POSTGRESQL),
        (uuid.UUID(int=1), PG["uuid"], POSTGRESQL),
        ("a ", column("varchar(5) utf8mb4_bin", Family.TEXT, 5), MARIADB),
        ("\u20ac", column("varchar(5) latin1_swedish_ci", Family.TEXT, 5), MARIADB),
        ("\u2603", column("varchar(5) utf8mb3_bin", Family.TEXT, 5), MARIADB),
        (b"\0\0\0\0", column("binary(4)", Family.BYTES, 4), MARIADB),
        (time(23, 59, 59, 999_999), PG["time"], POSTGRESQL),
    ],
)
def test_values_that_fit_are_taken(value, column, engine):
    assert misfit(value, column, engine) is None
