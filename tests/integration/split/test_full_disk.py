"""A disk is full while changes are followed: nothing that was acknowledged is lost, and the move goes on later."""

import os
import shutil
import subprocess
from contextlib import ExitStack, suppress

import psycopg
import pytest

from strangler.deploy.ports import free_port
from strangler.deploy.postgres import PostgresServer
from strangler.split import Side, SplitError

ROOM = "160m"


@pytest.fixture(scope="module")
def disks(tmp_path_factory):
    """A server for each side, on a disk of its own that is small enough to be filled."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small disk")
    with ExitStack() as stack:
        servers = {}
        for side in Side:
            disk = tmp_path_factory.mktemp(side.value)
            disk.chmod(0o755)
            mounted = subprocess.run(
                ["mount", "-t", "tmpfs", "-o", f"size={ROOM},mode=755", "tmpfs", str(disk)],
                capture_output=True,
                text=True,
                check=False,
            )
            if mounted.returncode:
                pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
            stack.callback(subprocess.run, ["umount", "-l", str(disk)], check=False)
            settings = {"min_wal_size": "32MB", "max_wal_size": "48MB"}
            servers[side] = PostgresServer(data=disk / "data", port=free_port(), settings=settings)
            stack.callback(servers[side].stop)
            servers[side].start()
        yield servers


@pytest.fixture
def source_dsn(disks):
    return _new_database(disks[Side.SOURCE])


@pytest.fixture
def target_dsn(disks):
    return _new_database(disks[Side.TARGET])


@pytest.mark.parametrize("full", list(Side))
def test_a_full_disk_loses_nothing_and_the_move_goes_on_when_there_is_room(shop, traffic, disks, source_dsn, full):
    shop.bring()
    server = disks[full]
    filler = server.data.parent / "filler"
    _fill(filler)
    acknowledged, refused = [], []
    for n in range(40):
        with suppress(psycopg.Error), psycopg.connect(source_dsn, autocommit=True) as application:
            insert = "INSERT INTO review (reference, product_id, author, body) VALUES (gen_random_uuid(), 1, %s, %s)"
            application.execute(insert, (f"customer {n}", os.urandom(50_000).hex()))
            acknowledged.append(f"customer {n}")
        if n % 10 == 9:
            try:
                shop.move.catch_up()
            except SplitError as error:
                refused.append(str(error))
    # The disk was full indeed: the application's own writes met it at the source, the applier at the target.
    assert len(acknowledged) < 40 if full is Side.SOURCE else len(acknowledged) == 40 and refused
    filler.unlink()
    server.start()
    shop.move.catch_up()
    assert shop.move.verify().equal
    assert shop.move.switch(Side.TARGET, traffic).owner is Side.TARGET
    with psycopg.connect(shop.move.target.dsn) as target:
        there = [author for (author,) in target.execute("SELECT author FROM review WHERE author LIKE 'customer %'")]
    assert len(there) == len(set(there))
    assert set(acknowledged) <= set(there)


def _fill(filler):
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1 << 16))


def _new_database(server):
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS small WITH (FORCE)")
        admin.execute("CREATE DATABASE small")
    return server.dsn("small")
