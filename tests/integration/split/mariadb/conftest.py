"""The shop's tables in two MariaDB databases, as MariaDB's own defaults make them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from strangler.split import Move, Side
from strangler.split.store import Database, Role
from tests.integration.split.conftest import SPEC, NewDatabase
from tests.integration.split.mysql_client import Client

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


@pytest.fixture
def source_dsn(new_database: NewDatabase) -> Iterator[str]:
    with new_database("mariadb", Side.SOURCE) as dsn:
        yield dsn


@pytest.fixture
def target_dsn(new_database: NewDatabase) -> Iterator[str]:
    with new_database("mariadb", Side.TARGET) as dsn:
        yield dsn


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
