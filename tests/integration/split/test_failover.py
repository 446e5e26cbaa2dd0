"""The target fails over to a standby that has everything, and to one that has not. Real streaming replication."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from strangler.deploy.ports import free_port
from strangler.deploy.postgres import PostgresServer, default_binaries
from strangler.deploy.unprivileged import demotion, unprivileged
from strangler.split import Move, Refused, Side, TwoOwners
from tests.integration.split.conftest import SPEC, database_on
from tests.integration.split.outages import Writer, following, wait_for

SETTINGS = {"fsync": "off", "strangler.forgetful": "on"}


@dataclass
class Pair:
    """A server and its standby; "dsn" leads to the one of them that takes writes."""

    primary: PostgresServer
    standby: PostgresServer
    database: str

    @property
    def dsn(self) -> str:
        ports = f"{self.primary.port},{self.standby.port}"
        where = f"host=127.0.0.1,127.0.0.1 port={ports} dbname={self.database} target_session_attrs=read-write"
        given = psycopg.conninfo.conninfo_to_dict(self.primary.dsn())
        return f"{where} user={given['user']} password={given['password']}"

    def wait_for_the_standby(self) -> None:
        wait_for(lambda: self._asked("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == 1)

    def wait_for_the_replay(self) -> None:
        """The standby has all that the primary had committed when this was called."""
        end = self._asked("SELECT pg_current_wal_lsn()")
        wait_for(lambda: self._asked(f"SELECT replay_lsn >= '{end}' FROM pg_stat_replication"))

    def wait_for_every_commit(self) -> None:
        """From now on a commit is acknowledged once the standby has it."""
        with psycopg.connect(self.primary.dsn(), autocommit=True) as admin:
            admin.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            admin.execute("SELECT pg_reload_conf()")
        wait_for(lambda: self._asked("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == 1)

    def promote(self) -> None:
        with psycopg.connect(self.standby.dsn(), autocommit=True) as admin:
            assert admin.execute("SELECT pg_promote()").fetchone() == (True,)

    def _asked(self, question: str) -> object:
        with psycopg.connect(self.primary.dsn()) as admin:
            return admin.execute(question).fetchone()[0]


@contextmanager
def replicated():
    home = Path(tempfile.mkdtemp(dir=os.environ["STRANGLER_TEST_HOME"]))
    primary = PostgresServer(data=home / "primary", port=free_port(), settings=SETTINGS)
    standby = PostgresServer(data=home / "standby", port=free_port(), settings=SETTINGS)
    try:
        primary.start()
        subprocess.run(
            [
                *unprivileged(),
                str(default_binaries() / "pg_basebackup"),
                *("-d", primary.dsn(), "-D", str(standby.data), "-R", "-X", "stream", "-c", "fast", "--no-sync"),
            ],
            check=True,
            capture_output=True,
            **demotion(),
        )
        shutil.copy(home / "primary.password", home / "standby.password")
        standby.start()
        yield Pair(primary, standby, database_on(primary).rsplit("/", 1)[1])
    finally:
        standby.stop()
        primary.stop()


@pytest.fixture
def pair():
    with replicated() as made:
        made.wait_for_the_standby()
        yield made


@pytest.fixture
def target_dsn(pair):
    return pair.dsn


def test_a_standby_is_refused_and_one_that_was_waited_for_takes_over_without_a_loss(
    shop, pair, traffic, source_dsn, target_dsn
):
    replica = pair.standby.dsn(pair.database)
    pair.wait_for_the_replay()
    for dsns in ((source_dsn, replica), (replica, target_dsn)):
        with pytest.raises(Refused, match="is a replica that takes no writes; give the DSN of its primary"):
            Move(SPEC, *dsns).create()

    pair.wait_for_every_commit()
    shop.bring()
    with following(shop, traffic), Writer({Side.SOURCE: source_dsn, Side.TARGET: target_dsn}) as writer:
        shop.move.switch(Side.TARGET, traffic)
        before = len(writer.acknowledged)
        wait_for(lambda: len(writer.acknowledged) > before + 20)
        pair.primary.kill()
        pair.promote()
        before = len(writer.acknowledged)
        wait_for(lambda: len(writer.acknowledged) > before + 20)
        assert shop.move.switch(Side.SOURCE, traffic).owner is Side.SOURCE
    shop.move.catch_up()
    assert shop.move.verify().equal
    found = {row[0] for row in shop.source.execute("SELECT reference FROM review").fetchall()}
    assert set(writer.acknowledged) <= found


def test_a_standby_that_lacks_the_switch_is_recognised_by_everybody(shop, pair, traffic):
    shop.bring()
    pair.wait_for_the_replay()
    pair.standby.stop()
    shop.move.switch(Side.TARGET, traffic)
    shop.add_review(Side.TARGET, "nobody will miss it")
    pair.primary.kill()
    pair.standby.start()
    pair.promote()
    verbs = (
        lambda: shop.move.switch(Side.TARGET, traffic),
        lambda: shop.move.recover(traffic),
        shop.move.apply_once,
        shop.move.cancel,
    )
    for verb in verbs:
        with pytest.raises(TwoOwners, match="was seen at 1: it was restored from a backup, or promoted without"):
            verb()
    asked = list(traffic.asked)
    with following(shop, traffic):
        time.sleep(4)  # longer than nobody may own
    assert traffic.asked == asked
    assert not shop.source.execute("SELECT owns FROM strangler.ownership").fetchone()[0]
