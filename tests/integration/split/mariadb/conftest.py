"""The shop's tables in two databases of MariaDB, or of MySQL, as the servers' own defaults make them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from strangler.deploy.mariadb import MariaDBServer
from strangler.split import Move, Side
from strangler.split.store import Database, Role
from tests.integration.split.conftest import SPEC, NewDatabase
from tests.integration.split.mysql_client import Client

TABLES = (
    """CREATE TABLE review (
        id bigint AUTO_INCREMENT PRIMARY KEY, reference {uuid} UNIQUE NOT NULL, product_id bigint NOT NULL,
        author varchar(200) NOT NULL, body longtext, score double, tags json, `raw` varbinary(200),
        written_at datetime(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), UNIQUE (product_id, author))""",
    """CREATE TABLE vote (
        id bigint AUTO_INCREMENT PRIMARY KEY, review_id bigint NOT NULL,
        voter varchar(200) NOT NULL, helpful boolean NOT NULL, UNIQUE (review_id, voter),
        FOREIGN KEY (review_id) REFERENCES review (id))""",
)
SOURCE_ONLY = "CREATE TABLE product (id bigint PRIMARY KEY, name varchar(200) NOT NULL, price decimal(10,2) NOT NULL)"
TARGET_ONLY = "CREATE TABLE product (id bigint PRIMARY KEY, name varchar(200) NOT NULL)"
NUMBERS = "WITH RECURSIVE numbers (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM numbers WHERE seq < {})"
REVIEW = "INSERT INTO review (reference, product_id, author) VALUES (%s, %s, %s)"


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


@pytest.fixture(params=["mariadb", "mysql"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def servers(engine: str, request: pytest.FixtureRequest) -> dict[Side, MariaDBServer]:
    return dict(request.getfixturevalue(f"{engine}_servers"))


@pytest.fixture
def source_dsn(engine: str, new_database: NewDatabase) -> Iterator[str]:
    with new_database(engine, Side.SOURCE) as dsn:
        yield dsn


@pytest.fixture
def target_dsn(engine: str, new_database: NewDatabase) -> Iterator[str]:
    with new_database(engine, Side.TARGET) as dsn:
        yield dsn


@pytest.fixture
def shop(engine: str, source_dsn: str, target_dsn: str) -> Iterator[Shop]:
    with Client(source_dsn) as source, Client(target_dsn) as target:
        for client, own in ((source, SOURCE_ONLY), (target, TARGET_ONLY)):
            for statement in (own, *TABLES):
                client.query(statement.format(uuid="uuid" if engine == "mariadb" else "char(36)"))
        source.query(f"INSERT INTO product {NUMBERS.format(100)} SELECT seq, concat('product ', seq), seq FROM numbers")
        source.query(
            f"""INSERT INTO review (reference, product_id, author, body, score, tags, `raw`) {NUMBERS.format(1000)}
               SELECT uuid(), seq % 100 + 1, concat('author ', seq), repeat('good ', seq % 7), seq / 7e0,
                      json_object('n', seq), unhex(sha2(seq, 224)) FROM numbers"""
        )
        source.query("INSERT INTO vote (review_id, voter, helpful) SELECT id, 'voter', id % 2 = 0 FROM review")
        yield Shop(source=source, target=target, move=Move(SPEC, source_dsn, target_dsn))
