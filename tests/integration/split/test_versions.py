"""Moves between servers of different major versions, there and back. Skipped where only one version is installed."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from strangler.deploy.postgres import PostgresServer, default_binaries
from strangler.split import Capture, Move, Side
from tests.integration.split.conftest import SPEC, Shop, fill, own_server


def major(binaries: Path) -> int:
    said = subprocess.run([str(binaries / "postgres"), "--version"], capture_output=True, text=True, check=True)
    return int(re.findall(r"\d+", said.stdout)[0])


@pytest.fixture(scope="module")
def older() -> Iterator[PostgresServer]:
    """The oldest installed server of another major version than the one the other tests have."""
    usual = major(default_binaries())
    found = {major(path.parent): path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")}
    others = sorted(version for version in found if version >= 14 and version != usual)
    if not others:
        pytest.skip(f"no PostgreSQL is installed in /usr/lib/postgresql but {usual}")
    yield from own_server({"max_slot_wal_keep_size": "1GB"}, binaries=found[others[0]])


def database(server: PostgresServer, name: str) -> str:
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {name}")
    return server.dsn(name)


@pytest.mark.parametrize("capture", list(Capture))
@pytest.mark.parametrize("same", [True, False], ids=["to the same version", "to another version"])
def test_a_move_goes_there_and_back(older, target_dsn, traffic, same, capture):
    source_dsn = database(older, "here")
    target_dsn = database(older, "there") if same else target_dsn
    with psycopg.connect(source_dsn, autocommit=True) as source, psycopg.connect(target_dsn, autocommit=True) as target:
        assert (source.info.server_version // 10_000 == target.info.server_version // 10_000) is same
        fill(source, target)
        shop = Shop(source=source, target=target, move=Move(replace(SPEC, capture=capture), source_dsn, target_dsn))
        shop.bring()
        shop.source.execute("UPDATE review SET body = 'older', score = 1e-7 WHERE id = 1")
        shop.move.switch(Side.TARGET, traffic)
        shop.target.execute("UPDATE review SET body = 'newer', tags = '{\"b\": 1.50, \"a\": null}' WHERE id = 2")
        shop.target.execute("DELETE FROM vote WHERE id < 10")
        shop.move.switch(Side.SOURCE, traffic)
        assert shop.move.verify().equal
        bodies = shop.source.execute("SELECT body, tags->>'b' FROM review WHERE id < 3 ORDER BY id").fetchall()
        assert bodies == [("older", None), ("newer", "1.50")]
        with shop.target.transaction():
            # As the applier, or its capture would notice a rogue writer first.
            shop.target.execute("SET LOCAL session_replication_role = replica; SET LOCAL ROLE strangler_applier")
            shop.target.execute("SELECT pg_logical_emit_message(true, 'strangler.applied', '')")
            shop.target.execute("UPDATE review SET score = 2e-7 WHERE id = 1; DELETE FROM review WHERE id = 9")
        assert [str(difference) for difference in shop.move.verify().differences] == [
            "public.review 1: differs in score",
            "public.review 9: missing at the target",
        ]
