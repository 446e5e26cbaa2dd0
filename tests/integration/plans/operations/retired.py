"""A small shop whose reviews have moved to the service for good."""

from dataclasses import replace

from strangler.plans.moves import move_spec
from strangler.plans.operations import CutForeignKey, MoveRoutes, MoveTables, ReplicateTable, RetireTables
from strangler.split import Move, Side
from tests.unit.strangler.plans.fake_world import FakeTraffic

MODELS = ("reviews.Review", "reviews.Vote")
OPERATIONS = (
    CutForeignKey("reviews.Review.product", keep="product_id", migration="0002_cut"),
    ReplicateTable("catalog.Product", columns=["id", "name"]),
    MoveTables(MODELS),
    MoveRoutes(["/api/reviews/"]),
    RetireTables(MODELS),
)
TABLES = """
    CREATE TYPE mood AS ENUM ('glad', 'sad');
    CREATE TABLE catalog_product (id bigint PRIMARY KEY, name text NOT NULL);
    CREATE TABLE reviews_review (
        id bigserial PRIMARY KEY, product_id bigint NOT NULL, title varchar(200) NOT NULL DEFAULT 'it''s',
        body text, raw bytea, score double precision, tags text[], data jsonb, feeling mood, "Odd name" numeric(9,2),
        upper_title text GENERATED ALWAYS AS (upper(title)) STORED, written_at timestamptz DEFAULT now(),
        name_c text COLLATE "C", CONSTRAINT good CHECK (product_id > 0), UNIQUE (product_id, title));
    CREATE INDEX reviews_review_lower ON reviews_review (lower(title)) WHERE body IS NOT NULL;
    CREATE TABLE reviews_vote (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, review_id bigint NOT NULL REFERENCES reviews_review);
"""
ROWS = r"""
    INSERT INTO catalog_product VALUES (1, 'stool');
    INSERT INTO reviews_review (product_id, title, body, raw, score, tags, data, feeling, "Odd name", name_c) VALUES
        (1, 'plain', 'a, "b"', '\x00ff', 0.1, '{a,NULL,"c d"}', '{"a": [1, null]}', 'glad', 1.50, 'x'),
        (1, '', '', '', 'NaN', '{}', 'null', NULL, NULL, ''),
        (1, 'line' || chr(10) || 'end', E'\\.', NULL, '-Infinity', NULL, NULL, 'sad', -0.01, NULL),
        (1, 'größer ☃', E'\\N', NULL, 1e-300, NULL, NULL, NULL, 0, E'\\.\n\\.');
    INSERT INTO reviews_vote (review_id) SELECT id FROM reviews_review;
"""


def prepare(source, target):
    for connection in (source, target):
        connection.execute(TABLES)
    source.execute(ROWS)


def states(key, state):
    """The states before, between and after the operations."""
    found = [state]
    for operation in OPERATIONS:
        found.append(operation.state_forwards(key, found[-1]))
    return found


def moved(world, key, state, source_dsn, target_dsn):
    """The world of the move between these databases, and the state when all is done."""
    *_, after = states(key, state)
    return replace(world, move=lambda state: Move(move_spec(key, state), source_dsn, target_dsn)), after


def retire(world, key, state, source_dsn, target_dsn):
    """Bring the reviews to the service, for good; the world to go on in, and the state."""
    world, after = moved(world, key, state, source_dsn, target_dsn)
    move = world.move(after)
    move.create()
    move.copy(lambda at: None)
    move.catch_up()
    assert move.verify().equal
    move.switch(Side.TARGET, FakeTraffic([]))
    OPERATIONS[-1].forwards(world, states(key, state)[-2], after)
    return world, after
