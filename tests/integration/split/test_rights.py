"""The administrator's rights: what is enough for a whole life of a move, and each of them taken away."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from types import SimpleNamespace

import psycopg
import pytest

from strangler.split import Move, Refused, Side, SplitError
from strangler.split.postgres import fitness
from tests.integration.split.conftest import SPEC, database_on, filled, own_server
from tests.integration.split.state import state

USER = "mover"
APPLIER = "strangler_applier"


@pytest.fixture(scope="module")
def limited():
    """A shop whose move is made by a user with no right too many, on servers that the toolkit has never seen."""
    with ExitStack() as stack:
        servers = {side: stack.enter_context(contextmanager(own_server)({})) for side in Side}
        shop = stack.enter_context(filled(*(database_on(server) for server in servers.values())))
        if shop.source.info.server_version < 150_000:
            pytest.skip("before PostgreSQL 15 only a superuser may set session_replication_role")
        dsns = []
        for side in Side:
            admin = shop.connection(side)
            admin.execute(f"CREATE ROLE {USER} LOGIN CREATEROLE PASSWORD 'word'")
            admin.execute(f"GRANT CREATE ON DATABASE {admin.info.dbname} TO {USER}")
            admin.execute(f"GRANT SET ON PARAMETER session_replication_role TO {USER}")
            admin.execute(f"GRANT pg_read_all_stats TO {USER}")
            admin.execute(f"ALTER TABLE review OWNER TO {USER}; ALTER TABLE vote OWNER TO {USER}")
            admin.execute(f"ALTER TABLE product OWNER TO {USER}")
            dsns.append(servers[side].dsn(admin.info.dbname, USER, "word"))
        shop.target.execute(f"GRANT CREATE ON SCHEMA public TO {USER}")
        shop.move = Move(SPEC, *dsns)
        yield shop


@contextmanager
def without(shop, side, taken, given_back):
    admin = shop.connection(side)
    name = admin.info.dbname
    admin.execute(taken.format(name=name))
    try:
        yield
    finally:
        admin.execute(given_back.format(name=name))


MISSING = {
    "CREATE on the database": (
        Side.SOURCE,
        f"REVOKE CREATE ON DATABASE {{name}} FROM {USER}",
        f"GRANT CREATE ON DATABASE {{name}} TO {USER}",
        'in the source database the user "mover" lacks rights: GRANT CREATE ON DATABASE "test_.*" to it',
    ),
    "the table": (
        Side.TARGET,
        "ALTER TABLE vote OWNER TO strangler",
        f"ALTER TABLE vote OWNER TO {USER}",
        'in the target database .*: table "public.vote" belongs to "strangler", and only its owner may',
    ),
    "a table that is copied": (
        Side.SOURCE,
        "ALTER TABLE product OWNER TO strangler",
        f"ALTER TABLE product OWNER TO {USER}",
        'table "public.product" belongs to "strangler", and only its owner may switch triggers and take them off',
    ),
    "making indexes": (
        Side.TARGET,
        f"REVOKE CREATE ON SCHEMA public FROM {USER}",
        f"GRANT CREATE ON SCHEMA public TO {USER}",
        'GRANT CREATE ON SCHEMA "public" to it, for the indexes that are made after the copy',
    ),
    "making roles": (
        Side.SOURCE,
        f"ALTER ROLE {USER} NOCREATEROLE",
        f"ALTER ROLE {USER} CREATEROLE",
        "CREATE ROLE strangler_applier NOLOGIN and GRANT it to it, or give it CREATEROLE",
    ),
    "writing as a replica": (
        Side.TARGET,
        f"REVOKE SET ON PARAMETER session_replication_role FROM {USER}",
        f"GRANT SET ON PARAMETER session_replication_role TO {USER}",
        "GRANT SET ON PARAMETER session_replication_role to it",
    ),
    "seeing others' transactions": (
        Side.SOURCE,
        f"REVOKE pg_read_all_stats FROM {USER}",
        f"GRANT pg_read_all_stats TO {USER}",
        "GRANT pg_read_all_stats to it",
    ),
    "the applier's role": (
        Side.TARGET,
        f"CREATE ROLE {APPLIER} NOLOGIN",
        f"DROP ROLE {APPLIER}",
        "GRANT strangler_applier to it",
    ),
    "the toolkit's schema": (
        Side.TARGET,
        "CREATE SCHEMA strangler; GRANT USAGE ON SCHEMA strangler TO public",
        "DROP SCHEMA strangler",
        'the schema "strangler" belongs to "strangler"; connect as that one, or GRANT "strangler" to it',
    ),
    "handing on the use of a schema": (
        Side.TARGET,
        f"REVOKE USAGE ON SCHEMA public FROM public; GRANT USAGE ON SCHEMA public TO {USER}",
        f"REVOKE USAGE ON SCHEMA public FROM {USER}; GRANT USAGE ON SCHEMA public TO public",
        'GRANT USAGE ON SCHEMA "public" to strangler_applier, or to it WITH GRANT OPTION',
    ),
}


@pytest.mark.parametrize("right", MISSING)
def test_a_right_that_is_missing_is_named_and_nothing_is_changed(limited, right):
    side, taken, given_back, says = MISSING[right]
    with without(limited, side, taken, given_back):
        before = [state(limited.source), state(limited.target)]
        with pytest.raises(Refused, match=says) as refused:
            limited.move.create()
        assert len(str(refused.value).splitlines()) == 1
        assert [state(limited.source), state(limited.target)] == before


def test_a_server_without_rights_on_parameters_asks_for_a_superuser(limited):
    class Older:
        """A connection to a server that says it is PostgreSQL 14."""

        info = SimpleNamespace(server_version=140_009, dbname="shop")

        def __getattr__(self, name):
            return getattr(store.connection, name)

    with limited.move.source.connect() as store:
        (said,) = fitness.lacking(Older(), [], filled=False)
    assert said.endswith("lacks rights: before PostgreSQL 15 only a superuser may set session_replication_role")


def test_a_schema_that_cannot_be_entered_is_named(limited):
    with without(
        limited,
        Side.SOURCE,
        "REVOKE USAGE ON SCHEMA public FROM public",
        "GRANT USAGE ON SCHEMA public TO public",
    ):
        with pytest.raises(SplitError, match=r'no table "product" in .* that "mover" can see') as refused:
            limited.move.create()
        assert len(str(refused.value).splitlines()) == 1


def test_these_rights_are_enough_for_a_whole_life(limited, traffic):
    limited.bring()
    limited.add_review(Side.SOURCE, "by its owner")
    # One that is taken away later is named, too.
    _, taken, given_back, _ = MISSING["writing as a replica"]
    says = r"may not become strangler_applier .*; give it superuser rights, or GRANT"
    with without(limited, Side.TARGET, taken, given_back), pytest.raises(SplitError, match=says):
        limited.move.switch(Side.TARGET, traffic)
    limited.move.switch(Side.TARGET, traffic)
    limited.move.switch(Side.SOURCE, traffic)
    limited.move.cancel()
    limited.bring()
    limited.move.switch(Side.TARGET, traffic)
    limited.move.complete(traffic)
    with pytest.raises(psycopg.DatabaseError, match="owned elsewhere"):
        limited.add_review(Side.SOURCE)
