"""The shop's tables in two MariaDB databases, and writers that go on while they are moved."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pymysql
import pytest

from strangler.deploy.mariadb import MariaDBServer
from strangler.deploy.ports import free_port
from strangler.split import Move, Side
from strangler.split.store import Database, Role
from tests.integration.split.conftest import SPEC

TABLES = (
    """CREATE TABLE review (
        id bigint AUTO_INCREMENT PRIMARY KEY, reference uuid UNIQUE NOT NULL, product_id bigint NOT NULL,
        author varchar(200) NOT NULL, body longtext, score double, tags json, `raw` varbinary(200),
        written_at datetime(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), UNIQUE (product_id, author))""",
    """CREATE TABLE vote (
        id bigint AUTO_INCREMENT PRIMARY KEY, review_id bigint NOT NULL REFERENCES review (id),
        voter varchar(200) NOT NULL, helpful boolean NOT NULL, UNIQUE (review_id, voter))""",
)
SOURCE_ONLY = "CREATE TABLE product (id bigint PRIMARY KEY, name varchar(200) NOT NULL, price decimal(10,2) NOT NULL)"
TARGET_ONLY = "CREATE TABLE product (id bigint PRIMARY KEY, name varchar(200) NOT NULL)"
REVIEW = "INSERT INTO review (reference, product_id, author) VALUES (%s, %s, %s)"
_numbers = itertools.count()


@dataclass
class Client:
    """A connection as an application has it."""

    dsn: str
    isolation: str = "READ COMMITTED"
    local_infile: bool = False
    connection: Any = None

    def __post_init__(self) -> None:
        where = urlsplit(self.dsn)
        self.connection = pymysql.connect(
            host=where.hostname,
            port=where.port or 0,
            user=where.username,
            password=where.password or "",
            database=where.path.lstrip("/"),
            charset="utf8mb4",
            autocommit=True,
            local_infile=self.local_infile,
        )
        self.query(f"SET SESSION TRANSACTION ISOLATION LEVEL {self.isolation}")

    def query(self, statement: str, params: object = None) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(statement, params)
            return list(cursor.fetchall())

    def one(self, statement: str, params: object = None) -> Any:
        return self.query(statement, params)[0][0]

    def insert(self, statement: str, params: object = None) -> int:
        """The number that the row got, as the driver tells it."""
        with self.connection.cursor() as cursor:
            cursor.execute(statement, params)
            return int(cursor.lastrowid)

    def begin(self) -> None:
        self.query("START TRANSACTION")

    def commit(self) -> None:
        self.connection.commit()

    def close(self) -> None:
        self.connection.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass
class Shop:
    """The two databases as an application sees them, and the move between them."""

    source: Client
    target: Client
    move: Move

    def bring(self) -> None:
        """Create, copy, catch up, verify."""
        self.move.create()
        self.move.copy(lambda progress: None)
        self.move.catch_up()
        assert self.move.verify().equal

    def client(self, side: Side) -> Client:
        return self.source if side is Side.SOURCE else self.target

    def count(self, side: Side, table: str) -> int:
        return int(self.client(side).one(f"SELECT count(*) FROM {table}"))

    def add_review(self, side: Side, author: str = "somebody", product: int = 1) -> uuid.UUID:
        reference = uuid.uuid4()
        self.client(side).query(REVIEW, (str(reference), product, author))
        return reference

    def as_applier(self, side: Side, *statements: str) -> None:
        """Write past the fence, as only the applier can."""
        dsn = self.source.dsn if side is Side.SOURCE else self.target.dsn
        with Database(name=side.value, dsn=dsn).connect(Role.APPLIER) as store:
            store.run(statements)


@dataclass
class Writers:
    """Threads that write to whoever takes it, and a journal of what was acknowledged."""

    dsns: dict[Side, str]
    threads: int = 4
    acknowledged: list[uuid.UUID] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Writers:
        self._running = [threading.Thread(target=self._write, args=(n,)) for n in range(self.threads)]
        for thread in self._running:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self._running:
            thread.join(timeout=30)

    def _write(self, number: int) -> None:
        clients = {side: Client(dsn) for side, dsn in self.dsns.items()}
        side = Side.SOURCE
        while not self.stop.is_set():
            reference = uuid.uuid4()
            author = f"writer {number} {next(_numbers)}"
            deadline = time.monotonic() + 15
            while True:
                try:
                    clients[side].begin()
                    clients[side].query(REVIEW, (str(reference), number, author))
                    clients[side].query("UPDATE review SET body = 'second' WHERE reference = %s", (str(reference),))
                    clients[side].commit()
                    self.acknowledged.append(reference)
                    break
                except pymysql.Error as error:
                    clients[side].connection.rollback()
                    if error.args[0] not in (1644, 1213) or time.monotonic() > deadline:
                        self.failures.append(str(error))
                        break
                    side = side.other if error.args[0] == 1644 else side
                    time.sleep(0.002)
            time.sleep(0.002)
        for client in clients.values():
            client.close()


@pytest.fixture(scope="session")
def mariadb_servers() -> Iterator[dict[Side, MariaDBServer]]:
    if shutil.which("mariadb-install-db") is None:
        pytest.skip("there is no MariaDB here; install the package mariadb-server")
    home = Path(tempfile.mkdtemp(prefix="mariadb-", dir=os.environ["STRANGLER_TEST_HOME"]))
    servers = {
        side: MariaDBServer(data=home / side.value, port=free_port(), settings={"debug-no-sync": ""}) for side in Side
    }
    try:
        for server in servers.values():
            server.start()
        yield servers
    finally:
        for server in servers.values():
            server.stop()


def _new_database(server: MariaDBServer) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    with Client(server.dsn()) as admin:
        admin.query(f"CREATE DATABASE {name}")
    yield server.dsn(name)
    with Client(server.dsn()) as admin:
        for (thread,) in admin.query("SELECT id FROM information_schema.processlist WHERE db = %s", (name,)):
            admin.query(f"KILL {thread}")
        admin.query(f"DROP DATABASE {name}")


@pytest.fixture
def source_dsn(mariadb_servers: dict[Side, MariaDBServer]) -> Iterator[str]:
    yield from _new_database(mariadb_servers[Side.SOURCE])


@pytest.fixture
def target_dsn(mariadb_servers: dict[Side, MariaDBServer]) -> Iterator[str]:
    yield from _new_database(mariadb_servers[Side.TARGET])


@pytest.fixture
def shop(source_dsn: str, target_dsn: str) -> Iterator[Shop]:
    with Client(source_dsn) as source, Client(target_dsn) as target:
        for client, own in ((source, SOURCE_ONLY), (target, TARGET_ONLY)):
            for statement in (own, *TABLES):
                client.query(statement)
        source.query("INSERT INTO product SELECT seq, concat('product ', seq), seq FROM seq_1_to_100")
        source.query(
            """INSERT INTO review (reference, product_id, author, body, score, tags, `raw`)
               SELECT uuid(), seq % 100 + 1, concat('author ', seq), repeat('good ', seq % 7), seq / 7e0,
                      json_object('n', seq), unhex(md5(seq)) FROM seq_1_to_1000"""
        )
        source.query("INSERT INTO vote (review_id, voter, helpful) SELECT id, 'voter', id % 2 = 0 FROM review")
        yield Shop(source=source, target=target, move=Move(SPEC, source_dsn, target_dsn))


@pytest.fixture
def writers(source_dsn: str, target_dsn: str, shop: Shop) -> Writers:
    return Writers(dsns={Side.SOURCE: source_dsn, Side.TARGET: target_dsn})
