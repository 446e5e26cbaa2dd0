"""The test shop on any two engines. A new engine adds an Engine here, and its name to PAIRS."""

from __future__ import annotations

import abc
import shutil
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from datetime import time as clock
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pymysql

from strangler.refusal import refusal_of
from strangler.split import Move, MoveSpec, Replica, Side
from strangler.split.mysql import wording
from strangler.split.store import Database, Role
from tests.integration.split.mysql_client import Client

SPEC = MoveSpec(
    name="0001_reviews",
    moved=("review", "vote", "label", "ticket"),
    replicated=(Replica(table="product", columns=("id", "name")),),
)
ALIKE = [("postgresql", "postgresql"), ("mariadb", "mariadb"), ("sqlite", "sqlite")]
UNLIKE = [("postgresql", "mariadb"), ("mariadb", "sqlite"), ("sqlite", "postgresql")]
"""A ring: each engine is once the source and once the target, and rows go both ways."""
MYSQL = [("mysql", "mysql"), ("mysql", "mariadb")]
PAIRS = ALIKE + UNLIKE + MYSQL
REVIEW = "reference, product_id, author, body, score, tags, raw, price, public, visited, opens, written_at"
REVIEWS = 300
DATABASE_ERRORS = (psycopg.Error, pymysql.Error, sqlite3.Error)


class Engine(abc.ABC):
    """What the tests' SQL says differently. Tests write "?" for parameters, and give Python values."""

    name: str
    tables: str
    cascades = True  # whether a foreign key may be ON DELETE CASCADE

    @abc.abstractmethod
    def connect(self, dsn: str) -> Any:
        """A connection of an application, in autocommit."""

    @abc.abstractmethod
    def like_the_applier(self, application: Application) -> AbstractContextManager[Application]:
        """A transaction that passes the fence, to spoil what was brought over."""

    def refused(self, error: Exception) -> bool:
        """Whether a fence said no."""
        return refusal_of(error) is not None

    def clashed(self, error: Exception) -> bool:
        """Whether the statement has to be sent again, as every application of that engine does."""
        return False

    def unless_there(self, insert: str) -> str:
        """The INSERT, which does nothing where its unique values are taken."""
        return f"{insert} ON CONFLICT DO NOTHING"

    @abc.abstractmethod
    def corrupting(self, table: str, spoils: dict[int, tuple[str, str]]) -> list[str]:
        """Statements that make a trigger which spoils rows that are brought: by their id, (column, literal)."""

    def sql(self, statement: str) -> str:
        return statement

    def literal(self, value: Any) -> str:
        match self.value(value):
            case bool() as truth:
                return str(truth).lower()
            case int() | float() | Decimal() as number:
                return str(number)
            case bytes() as raw:
                return f"x'{raw.hex()}'"
            case other:
                return "'" + str(other).replace("'", "''") + "'"

    def value(self, value: Any) -> Any:
        return value

    def setup(self, side: Side) -> str:
        price = ", price decimal(10, 2)" if side is Side.SOURCE else ""
        return (
            f"{self.tables} CREATE TABLE product (id bigint NOT NULL PRIMARY KEY, name varchar(200) NOT NULL{price});"
        )


class Sqlite(Engine):
    """Tables as Django makes them."""

    name = "sqlite"
    tables = """
        CREATE TABLE review (
            id integer NOT NULL PRIMARY KEY AUTOINCREMENT, reference char(32) NOT NULL UNIQUE,
            product_id bigint NOT NULL, author varchar(100) NOT NULL, body text, score real,
            tags text CHECK (json_valid(tags) OR tags IS NULL), raw BLOB, price decimal, public bool NOT NULL DEFAULT 1,
            visited date, opens time, written_at datetime NOT NULL DEFAULT CURRENT_TIMESTAMP,
            UNIQUE (product_id, author));
        CREATE TABLE vote (
            id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
            review_id bigint NOT NULL REFERENCES review (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
            voter varchar(50) NOT NULL, helpful bool NOT NULL, UNIQUE (review_id, voter));
        CREATE TABLE label (
            lang varchar(10) NOT NULL, word varchar(50) NOT NULL, note text, PRIMARY KEY (lang, word)) WITHOUT ROWID;
        CREATE TABLE ticket (code char(32) NOT NULL PRIMARY KEY, note text);
    """

    def connect(self, dsn: str) -> Any:
        connection = sqlite3.connect(dsn.removeprefix("sqlite://"), isolation_level=None, timeout=10)
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    @contextmanager
    def like_the_applier(self, application: Application) -> Iterator[Application]:
        connection = application.connection
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE strangler_applier SET at_work = 1")
        yield application
        connection.execute("UPDATE strangler_applier SET at_work = 0")
        connection.execute("COMMIT")
        connection.execute("PRAGMA foreign_keys = ON")

    def corrupting(self, table: str, spoils: dict[int, tuple[str, str]]) -> list[str]:
        body = " ".join(
            f"UPDATE {table} SET {column} = {value} WHERE id = {number} AND NEW.id = {number};"
            for number, (column, value) in spoils.items()
        )
        return [f"CREATE TRIGGER spoil AFTER INSERT ON {table} BEGIN {body} END"]

    def sql(self, statement: str) -> str:
        return statement.replace("strangler.", "strangler_")

    def value(self, value: Any) -> Any:
        match value:
            case uuid.UUID():
                return value.hex
            case datetime():
                return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ")
            case date() | clock():
                return value.isoformat()
            case Decimal():
                return str(value)
        return value


class Postgres(Engine):
    """Tables as Django makes them."""

    name = "postgresql"
    tables = """
        CREATE TABLE review (
            id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, reference uuid UNIQUE NOT NULL,
            product_id bigint NOT NULL, author varchar(100) NOT NULL, body text, score double precision, tags jsonb,
            raw bytea, price numeric(10,2), public boolean NOT NULL DEFAULT true, visited date, opens time,
            written_at timestamptz NOT NULL DEFAULT now(), UNIQUE (product_id, author));
        CREATE TABLE vote (
            id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
            review_id bigint NOT NULL REFERENCES review ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
            voter varchar(50) NOT NULL, helpful boolean NOT NULL, UNIQUE (review_id, voter));
        CREATE TABLE label (
            lang varchar(10) NOT NULL, word varchar(50) NOT NULL, note text, PRIMARY KEY (lang, word));
        CREATE TABLE ticket (code uuid PRIMARY KEY, note text);
    """

    def connect(self, dsn: str) -> Any:
        return psycopg.connect(dsn, autocommit=True, options="-c timezone=UTC")

    @contextmanager
    def like_the_applier(self, application: Application) -> Iterator[Application]:
        with application.connection.transaction():
            application.run("SET LOCAL session_replication_role = replica")
            application.run("SET LOCAL ROLE strangler_applier")
            yield application

    def corrupting(self, table: str, spoils: dict[int, tuple[str, str]]) -> list[str]:
        body = " ".join(
            f"IF NEW.id = {number} THEN NEW.{column} := {value}; END IF;" for number, (column, value) in spoils.items()
        )
        return [
            f"CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NEW; END $$",
            f"CREATE TRIGGER spoil BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION spoil()",
            f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER spoil",
        ]

    def literal(self, value: Any) -> str:
        return f"'\\x{value.hex()}'::bytea" if isinstance(value, bytes) else super().literal(value)

    def sql(self, statement: str) -> str:
        return statement.replace("%", "%%").replace("?", "%s")


class MariaDB(Engine):
    """Tables as Django makes them, with its older UUIDs beside the newer ones; but a collation that tells texts apart,
    and no cascade, which fires no trigger and is refused."""

    name = "mariadb"
    cascades = False
    tables = """
        CREATE TABLE review (
            id bigint AUTO_INCREMENT PRIMARY KEY, reference uuid UNIQUE NOT NULL, product_id bigint NOT NULL,
            author varchar(100) COLLATE utf8mb4_nopad_bin NOT NULL, body longtext, score double, tags json,
            raw longblob, price decimal(10,2), public bool NOT NULL DEFAULT true, visited date, opens time(6),
            written_at datetime(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), UNIQUE (product_id, author));
        CREATE TABLE vote (
            id bigint AUTO_INCREMENT PRIMARY KEY, review_id bigint NOT NULL REFERENCES review (id),
            voter varchar(50) COLLATE utf8mb4_nopad_bin NOT NULL, helpful bool NOT NULL, UNIQUE (review_id, voter));
        CREATE TABLE label (
            lang varchar(10) COLLATE utf8mb4_nopad_bin NOT NULL, word varchar(50) COLLATE utf8mb4_nopad_bin NOT NULL,
            note longtext, PRIMARY KEY (lang, word));
        CREATE TABLE ticket (code char(32) COLLATE utf8mb4_nopad_bin NOT NULL PRIMARY KEY, note longtext);
    """

    def connect(self, dsn: str) -> Any:
        return Client(dsn)

    @contextmanager
    def like_the_applier(self, application: Application) -> Iterator[Application]:
        with Database(name="target", dsn=application.dsn).connect(Role.APPLIER) as store, store.transaction():
            yield Application(engine=self, dsn=application.dsn, connection=Client(application.dsn, store.connection))  # type: ignore[attr-defined]

    def clashed(self, error: Exception) -> bool:
        return error.args[0] == 1213  # a deadlock

    def unless_there(self, insert: str) -> str:
        return insert.replace("INSERT", "INSERT IGNORE")

    def corrupting(self, table: str, spoils: dict[int, tuple[str, str]]) -> list[str]:
        body = " ".join(
            f"IF NEW.id = {number} THEN SET NEW.{column} = {value}; END IF;"
            for number, (column, value) in spoils.items()
        )
        return [f"CREATE TRIGGER spoil BEFORE INSERT ON {table} FOR EACH ROW BEGIN {body} END"]

    def sql(self, statement: str) -> str:
        return wording.translated(statement).replace("%", "%%").replace("?", "%s")

    def value(self, value: Any) -> Any:
        match value:
            case uuid.UUID():
                return value.hex
            case datetime():
                return value.astimezone(UTC).replace(tzinfo=None)
        return value


class MySQL(MariaDB):
    """The same; it has no type for UUIDs, and calls that collation otherwise."""

    name = "mysql"
    tables = MariaDB.tables.replace(" uuid ", " char(32) ").replace("utf8mb4_nopad_bin", "utf8mb4_0900_bin")


ENGINES: dict[str, Engine] = {engine.name: engine for engine in (Sqlite(), Postgres(), MariaDB(), MySQL())}


def new_file(home: Path, name: str, template: str | None = None) -> str:
    """The DSN of a new SQLite database: empty, or a copy of one that nobody uses."""
    path = home / f"{name}.sqlite3"
    if template:
        shutil.copy(template.removeprefix("sqlite://"), path)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    return f"sqlite://{path}"


@dataclass(kw_only=True)
class Application:
    """Somebody who uses one of the two databases."""

    engine: Engine
    dsn: str
    connection: Any = None

    def __post_init__(self) -> None:
        self.connection = self.connection or self.engine.connect(self.dsn)

    def run(self, statement: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement of the tests' SQL; its rows, if it has any."""
        values = [self.engine.value(value) for value in params]
        cursor = self.connection.execute(self.engine.sql(statement), values)
        return list(cursor.fetchall()) if cursor.description else []

    def scalar(self, statement: str, params: Sequence[Any] = ()) -> Any:
        return self.run(statement, params)[0][0]

    @contextmanager
    def spoiling(self) -> Iterator[Application]:
        with self.engine.like_the_applier(self) as spoiler:
            yield spoiler

    def add_review(self, author: str, reference: uuid.UUID | None = None, product: int = 1) -> uuid.UUID:
        reference = reference or uuid.uuid4()
        self.run("INSERT INTO review (reference, product_id, author) VALUES (?, ?, ?)", (reference, product, author))
        return reference

    def references(self) -> set[uuid.UUID]:
        return {uuid.UUID(str(reference)) for (reference,) in self.run("SELECT reference FROM review")}

    def count(self, table: str) -> int:
        return int(self.scalar(f"SELECT count(*) FROM {table}"))


@dataclass(kw_only=True)
class Shop:
    """Both databases as applications see them, and the move between them."""

    source: Application
    target: Application
    move: Move

    def of(self, side: Side) -> Application:
        return self.source if side is Side.SOURCE else self.target

    def bring(self) -> None:
        """Create, copy, catch up, verify."""
        self.move.create()
        self.move.copy(lambda progress: None)
        self.move.catch_up()
        verification = self.move.verify()
        assert verification.equal, verification


@contextmanager
def opened_shop(dsns: dict[Side, tuple[str, str]], *, fill: bool = True) -> Iterator[Shop]:
    """A shop by (engine, DSN) of its two databases. They are empty and get rows in the source, or are as they are."""
    applications = {side: Application(engine=ENGINES[engine], dsn=dsn) for side, (engine, dsn) in dsns.items()}
    source, target = applications[Side.SOURCE], applications[Side.TARGET]
    if fill:
        for side, application in applications.items():
            for statement in application.engine.setup(side).split(";\n"):
                application.run(statement)
        _fill(source)
    yield Shop(source=source, target=target, move=Move(SPEC, source.dsn, target.dsn))
    for application in applications.values():
        application.connection.close()


def a_review(n: int) -> tuple[Any, ...]:
    """The values of a review, a little different in every column."""
    return (
        uuid.uuid4(),
        n % 100 + 1,
        f"author {n}",
        None if n % 7 == 0 else "gut \u00e4\u2603\U0001f600 " * (n % 5),
        n / 7.0,
        f'{{"n": {n}, "deep": [{n}.50, null, "\u00e4"]}}',
        bytes([n % 256, 0, 255]),
        Decimal(n) / 100,
        n % 2 == 0,
        date(2024, 1 + n % 12, 1 + n % 28),
        clock(n % 24, n % 60, 0, n),
        datetime(2024, 1, 1, n % 24, n % 60, 0, n * 1000, tzinfo=UTC),
    )


def _fill(source: Application) -> None:
    source.run("BEGIN")
    for n in range(1, 101):
        source.run("INSERT INTO product (id, name, price) VALUES (?, ?, ?)", (n, f"product {n}", Decimal(n)))
    for n in range(1, REVIEWS + 1):
        source.run(f"INSERT INTO review ({REVIEW}) VALUES ({', '.join('?' * 12)})", a_review(n))
        source.run("INSERT INTO ticket (code, note) VALUES (?, ?)", (uuid.uuid4(), f"ticket {n}"))
        source.run("INSERT INTO label (lang, word) VALUES (?, ?)", (("de", "en", "fr")[n % 3], f"W\u00f6rt {n:x}"))
    source.run("INSERT INTO vote (review_id, voter, helpful) SELECT id, 'voter', public FROM review")
    source.run("COMMIT")


@dataclass(kw_only=True)
class Writers:
    """Threads that write to whoever takes it, and a journal of what was acknowledged."""

    shop: Shop
    threads: int = 2
    acknowledged: list[uuid.UUID] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Writers:
        self._running = [threading.Thread(target=self._write, args=(n,)) for n in range(self.threads)]
        for thread in self._running:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._running:
            thread.join(timeout=30)

    def _write(self, number: int) -> None:
        applications = {
            side: Application(engine=self.shop.of(side).engine, dsn=self.shop.of(side).dsn) for side in Side
        }
        side = Side.SOURCE
        made = 0
        while not self._stop.is_set():
            made += 1
            reference = uuid.uuid4()
            began = time.monotonic()
            while True:
                try:
                    applications[side].add_review(f"writer {number} {made}", reference)
                    self.acknowledged.append(reference)
                    break
                except (sqlite3.Error, psycopg.Error, pymysql.Error) as error:
                    engine = applications[side].engine
                    refused, clashed = engine.refused(error), engine.clashed(error)
                    if not (refused or clashed) or time.monotonic() - began > 15:
                        self.failures.append(f"{side}: {error}")
                        break
                    side = side.other if refused else side
                    time.sleep(0.002)
            time.sleep(0.005)
        for application in applications.values():
            application.connection.close()


@dataclass(kw_only=True)
class OwnerWatch:
    """Looks at both ownership rows without pause: is there ever an instant with two owners?"""

    shop: Shop
    looks: int = 0
    two_owners: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> OwnerWatch:
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=10)

    def _watch(self) -> None:
        query = "SELECT epoch, owns FROM strangler.ownership WHERE move = %s"
        dsns = (self.shop.source.dsn, self.shop.target.dsn)
        with Database(name="source", dsn=dsns[0]).connect() as source:  # noqa: SIM117
            with Database(name="target", dsn=dsns[1]).connect() as target:
                while not self._stop.is_set():
                    first, again = ([store.query(query, (SPEC.name,)) for store in (source, target)] for _ in range(2))
                    if first == again and all(first):
                        self.looks += 1
                        self.two_owners += bool(first[0][0][1] and first[1][0][1])
                    with suppress(InterruptedError):
                        time.sleep(0.002)
