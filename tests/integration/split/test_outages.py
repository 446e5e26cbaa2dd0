"""Databases that go away for a while: restarted, killed, or with another password."""

from __future__ import annotations

import logging
import time

import psycopg
import pytest

from strangler.split import DatabaseUnreachable, Limits, Move, Side, SwitchAborted, daemon
from strangler.split.cutover import Step
from strangler.split.errors import StatementFailed
from strangler.split.store import Database, Role
from tests.integration.split.conftest import SPEC, database_on
from tests.integration.split.outages import Writer, cut_off, following, wait_for

USER = "mover"


@pytest.fixture
def source_dsn(own_servers):
    return database_on(own_servers[Side.SOURCE])


@pytest.fixture
def target_dsn(own_servers):
    return database_on(own_servers[Side.TARGET])


def arrived(dsn, author):
    def look():
        with psycopg.connect(dsn) as connection:
            found = "SELECT EXISTS (SELECT FROM review WHERE author = %s)"
            return connection.execute(found, (author,)).fetchone() == (True,)

    return look


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_database_that_restarts_in_the_middle_of_a_switch_costs_the_switch_and_no_row(
    shop, own_servers, traffic, source_dsn, target_dsn, side, how
):
    shop.bring()
    server = own_servers[side]

    def restart_at(fatal):
        def on_step(step, facts):
            if step is fatal:
                getattr(server, how)()
                server.start()

        return on_step

    with Writer({Side.SOURCE: source_dsn, Side.TARGET: target_dsn}) as writer:
        for step in (Step.FENCE, Step.CATCH_UP, Step.COMMIT):
            with pytest.raises(SwitchAborted, match="recovered: the source owns"):
                shop.move.switch(Side.TARGET, traffic, on_step=restart_at(step))
        owner = shop.move.switch(Side.TARGET, traffic, limits=Limits(fence_attempts=20)).owner
        before = len(writer.acknowledged)
        wait_for(lambda: len(writer.acknowledged) > before)
    assert owner is Side.TARGET
    shop.move.catch_up()
    for dsn in (source_dsn, target_dsn):
        with psycopg.connect(dsn) as connection:
            rows = [row[0] for row in connection.execute("SELECT reference FROM review").fetchall()]
        assert set(writer.acknowledged) <= set(rows)
    assert shop.move.verify().equal


def test_following_goes_on_after_a_restart_and_says_so_once(shop, own_servers, traffic, source_dsn, target_dsn, caplog):
    shop.bring()
    with following(shop, traffic), caplog.at_level(logging.WARNING, logger=daemon.__name__):
        shop.add_review(Side.SOURCE, "before")
        wait_for(arrived(target_dsn, "before"))
        own_servers[Side.TARGET].kill()
        shop.add_review(Side.SOURCE, "meanwhile")
        wait_for(lambda: "cannot connect to the target database" in caplog.text)
        time.sleep(1.5)
        own_servers[Side.TARGET].start()
        wait_for(arrived(target_dsn, "meanwhile"))
        wait_for(lambda: "following 0001_reviews goes on" in caplog.text)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == len(set(said)) <= 4, said


@pytest.fixture
def with_password(shop, own_servers, source_dsn, target_dsn, tmp_path):
    """The move by a user whose password stands in a file, and what changes it at the target."""
    passwords = tmp_path / "passwords"
    dsns = []
    for side, dsn in ((Side.SOURCE, source_dsn), (Side.TARGET, target_dsn)):
        with psycopg.connect(dsn, autocommit=True) as admin:
            admin.execute(f"DROP ROLE IF EXISTS {USER}")
            admin.execute(f"CREATE ROLE {USER} SUPERUSER LOGIN PASSWORD 'first'")
        port, name = own_servers[side].port, dsn.rsplit("/", 1)[1]
        dsns.append(f"host=127.0.0.1 port={port} dbname={name} user={USER} passfile={passwords}")

    def write_down(password):
        passwords.touch(mode=0o600)
        ports = ((own_servers[Side.SOURCE].port, "first"), (own_servers[Side.TARGET].port, password))
        passwords.write_text("".join(f"127.0.0.1:{port}:*:{USER}:{word}\n" for port, word in ports))

    write_down("first")
    shop.move = Move(SPEC, *dsns)

    def change(password):
        with psycopg.connect(target_dsn, autocommit=True) as admin:
            admin.execute(f"ALTER ROLE {USER} PASSWORD '{password}'")
            admin.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{USER}'")

    yield change, write_down
    for dsn in (source_dsn, target_dsn):
        with psycopg.connect(dsn, autocommit=True) as admin:
            admin.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{USER}'")
            admin.execute(f"REASSIGN OWNED BY {USER} TO current_user")
            admin.execute(f"DROP OWNED BY {USER}")


def test_following_goes_on_with_a_new_password_and_says_so_once(shop, traffic, target_dsn, with_password, caplog):
    change, write_down = with_password
    shop.bring()
    with following(shop, traffic), caplog.at_level(logging.WARNING, logger=daemon.__name__):
        change("second-pass")
        shop.add_review(Side.SOURCE, "meanwhile")
        wait_for(lambda: "password authentication failed" in caplog.text)
        time.sleep(1.0)
        write_down("second-pass")
        wait_for(arrived(target_dsn, "meanwhile"))
    said = [record.getMessage() for record in caplog.records]
    assert sum("password authentication failed" in sentence for sentence in said) == 1, said
    assert "second-pass" not in caplog.text


def test_a_copy_whose_password_expires_goes_on_behind_its_last_range(shop, with_password, target_dsn):
    change, write_down = with_password
    shop.move.create()

    def expire(progress):
        if progress.table == "vote":
            change("second-pass")

    with pytest.raises(Exception) as ended:
        shop.move.copy(expire)
    assert len(str(ended.value).splitlines()) == 1
    with pytest.raises(DatabaseUnreachable, match='as "mover": password authentication failed') as refused:
        shop.move.copy(lambda progress: None)
    assert "pass" not in str(refused.value).replace("password", "")
    write_down("second-pass")
    shop.bring()
    assert shop.count(Side.TARGET, "review") == 1_000


@pytest.mark.parametrize("when", [b"pg_backend_pid", b"deadlock_timeout"])
def test_a_connection_that_breaks_as_it_is_opened_is_a_database_that_cannot_be_reached(source_dsn, when):
    where = psycopg.conninfo.conninfo_to_dict(source_dsn)
    with cut_off(where["host"], int(where["port"]), when) as port:
        dsn = f"postgresql://{where['user']}:{where['password']}@127.0.0.1:{port}/{where['dbname']}"
        with pytest.raises(DatabaseUnreachable, match="cannot connect to the source database"):
            Database(name="source", dsn=dsn).connect(Role.SWITCH)


def test_a_connection_that_has_died_before_its_version_is_asked_for_is_said_to_have(source_dsn, target_dsn):
    """As a session is opened: who follows a move goes on with new connections after that, and after nothing else."""
    with Database(name="source", dsn=source_dsn).connect() as source:  # noqa: SIM117
        with Database(name="target", dsn=target_dsn).connect() as target:
            target.connection.close()
            with pytest.raises(StatementFailed, match="the connection is closed"):
                source.compare_with(target)
