"""Moves between servers of different major versions, there and back. Skipped where only one version is installed."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from strangler.split import Capture, Move, Side
from tests.integration.split.conftest import SPEC, Shop, database_on, fill


@pytest.mark.parametrize("capture", list(Capture))
@pytest.mark.parametrize("same", [True, False], ids=["to the same version", "to another version"])
def test_a_move_goes_there_and_back(older_server, target_dsn, traffic, same, capture):
    source_dsn = database_on(older_server)
    target_dsn = database_on(older_server) if same else target_dsn
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
