"""What MariaDB and PostgreSQL do not hold alike is refused before the start, in one sentence, with nothing changed."""

import re
import uuid

import pytest

from strangler.split import Move, MoveSpec, Side, SplitError
from tests.integration.split.conftest import database_on
from tests.integration.split.engines import ENGINES, Application


@pytest.fixture(scope="module")
def applications(new_database):
    """A database of each engine; every test makes its table anew."""
    with new_database("postgresql", Side.SOURCE) as postgres, new_database("mariadb", Side.SOURCE) as mariadb:
        opened = {
            engine: Application(engine=ENGINES[engine], dsn=dsn)
            for engine, dsn in (("postgresql", postgres), ("mariadb", mariadb))
        }
        opened["mariadb"].run("CREATE SEQUENCE numbers")
        yield opened
        for application in opened.values():
            application.connection.close()


@pytest.fixture
def move(applications):
    """Makes the move of a table "thing" whose second column is given for both sides, from the first engine."""

    def made(columns, value=None):
        source, target = columns
        for engine, column in columns.items():
            applications[engine].run("DROP TABLE IF EXISTS thing")
            applications[engine].run(f"CREATE TABLE thing (id bigint NOT NULL PRIMARY KEY, {column})")
        if value is not None:
            name = columns[source].split()[0]
            applications[source].run(f"INSERT INTO thing (id, {name}) VALUES (42, {value})")
        return Move(MoveSpec(name="0001_things", moved=("thing",)), applications[source].dsn, applications[target].dsn)

    return made


def to_postgres(mine, theirs):
    return {"mariadb": f"c {mine}", "postgresql": f"c {theirs}"}


def to_mariadb(mine, theirs):
    return {"postgresql": f"c {mine}", "mariadb": f"c {theirs}"}


TYPES = {
    "unsigned bigint": (to_postgres("bigint unsigned", "bigint"), "takes fewer numbers than"),
    "collation": (to_postgres("varchar(20) UNIQUE", "varchar(20) UNIQUE"), "a unique index takes some different"),
    "blanks": (to_postgres("varchar(20) COLLATE utf8mb4_bin UNIQUE", "varchar(20)"), "a unique index takes some"),
    "beginning": (to_postgres("longblob, UNIQUE (c(10))", "bytea"), "index it whole"),
    "collation there": (to_mariadb("varchar(20) UNIQUE", "varchar(20) UNIQUE"), "give the column the collation"),
    "array": (to_mariadb("integer[]", "json"), "keep arrays as JSON"),
    "json": (to_mariadb("jsonb", "varchar(2000)"), "text values; make both the same"),
    "single precision": (to_postgres("float", "real"), "make it double precision"),
    "single precision there": (to_mariadb("real", "float"), "make it double precision"),
    "time zone": (to_mariadb("time with time zone", "time(6)"), "make it a time without time zone"),
    "finer": (to_mariadb("timestamptz", "datetime"), "is narrower than"),
    "interval": (to_mariadb("interval", "time(6)"), "keep durations as a bigint"),
    "enum": (to_postgres("enum('a','b')", "text"), "make it varchar"),
    "year": (to_postgres("year", "integer"), "has no equal in another engine"),
    "bits": (to_postgres("bit(8)", "bit(8)"), "has no equal in another engine"),
    "shorter": (to_mariadb("text", "text"), "is narrower than"),
    "uuid": (to_mariadb("uuid", "varchar(36)"), "a uuid as char(32)"),
    "sequence": (to_postgres("bigint DEFAULT (nextval(numbers))", "bigint"), "takes its numbers from a sequence"),
    "generated": (
        {"mariadb": "c bigint AS (id + 1) STORED", "postgresql": "c bigint"},
        'only the source has nothing, only the target has "c"',
    ),
}
VALUES = {
    "zero date": (to_postgres("date", "date"), "'0000-00-00'", 'holds "0000-00-00", which other engines cannot hold'),
    "zero moment": (to_postgres("datetime", "timestamptz"), "'0000-00-00 00:00:00'", "which other engines cannot hold"),
    "half a date": (to_postgres("date", "date"), "'2024-05-00'", 'holds "2024-05-00", which other engines'),
    "long time": (to_postgres("time", "time"), "'-01:00:00'", "which other engines cannot hold"),
    "boolean": (to_postgres("bool", "boolean"), "2", 'holds "2", which other engines cannot hold'),
    "NUL": (to_postgres("varchar(20)", "varchar(20)"), "concat('a', char(0))", "with a NUL character"),
    "NUL in JSON": (to_postgres("json", "jsonb"), "'\"\\\\u0000\"'", "with a NUL character"),
    "early": (to_mariadb("date", "date"), "'0044-03-15'", "before the year 1000, where MySQL's dates begin"),
    "infinite": (to_mariadb("timestamptz", "datetime(6)"), "'infinity'", "which is no date and time"),
    "out of range": (to_mariadb("timestamptz", "timestamp(6)"), "'2040-01-01'", "out of the range of timestamp"),
    "no number": (to_mariadb("double precision", "double"), "'NaN'", "which mariadb does not have"),
    "no decimal": (to_mariadb("numeric(10,2)", "decimal(10,2)"), "'NaN'", "no number that every engine has"),
    "blank at the end": (to_mariadb("varchar(5)", "char(5)"), "'a '", "which ends with a blank"),
    "emoji": (to_mariadb("varchar(5)", "varchar(5) CHARACTER SET utf8mb3"), "U&'\\+01F600'", "make it utf8mb4"),
    "snowman": (to_mariadb("varchar(5)", "varchar(5) CHARACTER SET latin1"), "U&'\\2603'", "make it utf8mb4"),
    "filled up": (to_mariadb("bytea", "binary(4)"), "'\\x00'", 'is narrower than "bytea"'),
}


@pytest.mark.parametrize(("columns", "why"), TYPES.values(), ids=TYPES)
def test_a_type_is_refused(move, applications, columns, why):
    refused(move(columns), applications, why)


@pytest.mark.parametrize(("columns", "value", "why"), VALUES.values(), ids=VALUES)
def test_a_value_is_refused(move, applications, columns, value, why):
    refused(move(columns, value), applications, why)


def refused(move, applications, why):
    with pytest.raises(SplitError, match=re.escape(why)) as error:
        move.create()
    assert "\n" not in str(error.value)
    for application in applications.values():
        tables = "SELECT table_schema, table_name FROM information_schema.tables"
        assert not [row for row in application.run(tables) if "strangler" in f"{row[0]} {row[1]}"]


def test_a_collation_of_postgresql_that_takes_texts_for_the_same_is_refused(older_server, applications):
    """On the server that Debian builds, which knows such collations."""
    source = Application(engine=ENGINES["postgresql"], dsn=database_on(older_server))
    source.run("CREATE COLLATION folding (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
    source.run("CREATE TABLE thing (id bigint NOT NULL PRIMARY KEY, c text COLLATE folding UNIQUE)")
    target = applications["mariadb"]
    target.run("DROP TABLE IF EXISTS thing")
    target.run("CREATE TABLE thing (id bigint NOT NULL PRIMARY KEY, c longtext)")
    made = Move(MoveSpec(name="0001_things", moved=("thing",)), source.dsn, target.dsn)
    refused(made, {"postgresql": source, "mariadb": target}, "a unique index takes some different")
    source.connection.close()


@pytest.mark.parametrize(
    ("kind", "written"),
    [("char(32)", lambda value: value.hex), ("uuid", str)],
    ids=["as text", "native"],
)
def test_a_uuid_is_written_as_django_writes_it_and_read_back(new_database, kind, written):
    """Where MariaDB has the type, Django uses it; before, it kept 32 digits without dashes."""
    with new_database("postgresql", Side.SOURCE) as source, new_database("mariadb", Side.TARGET) as target:
        mine = Application(engine=ENGINES["postgresql"], dsn=source)
        theirs = Application(engine=ENGINES["mariadb"], dsn=target)
        mine.run("CREATE TABLE thing (id uuid PRIMARY KEY, c uuid)")
        theirs.run(f"CREATE TABLE thing (id {kind} NOT NULL PRIMARY KEY, c {kind})")
        one, other = uuid.uuid4(), uuid.uuid4()
        mine.run("INSERT INTO thing VALUES (?, ?)", (one, other))
        move = Move(MoveSpec(name="0001_things", moved=("thing",)), source, target)
        move.create()
        move.copy(lambda progress: None)
        assert theirs.run("SELECT id, c FROM thing") == [(written(one), written(other))]
        mine.run("UPDATE thing SET c = ?", (one,))
        move.catch_up()
        assert theirs.run("SELECT id, c FROM thing") == [(written(one), written(one))]
        assert move.verify().equal


def test_a_uuid_in_capitals_is_no_key(move, applications):
    made = move({"mariadb": "c bigint", "postgresql": "c bigint"})
    for engine, kind in (("mariadb", "char(32)"), ("postgresql", "uuid")):
        applications[engine].run("DROP TABLE thing")
        applications[engine].run(f"CREATE TABLE thing (id {kind} NOT NULL PRIMARY KEY)")
    applications["mariadb"].run("INSERT INTO thing VALUES (upper(?))", (uuid.UUID(int=0xABC),))
    refused(made, applications, "which other engines cannot hold")
