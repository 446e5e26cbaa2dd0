"""A MariaDB of one's own."""

import shutil

import pymysql
import pytest

from strangler.deploy.mariadb import MariaDBServer, server_binary
from strangler.deploy.ports import free_port
from strangler.deploy.server import ServerError

pytestmark = pytest.mark.skipif(shutil.which("mariadb-install-db") is None, reason="there is no MariaDB here")


@pytest.fixture
def server(tmp_path):
    made = MariaDBServer(data=tmp_path / "data", port=free_port(), settings={"debug-no-sync": ""})
    yield made
    made.stop()


def connect(server, password=None):
    word = password or server.password
    return pymysql.connect(host="127.0.0.1", port=server.port, user="strangler", password=word, autocommit=True)


def test_it_starts_keeps_its_data_over_a_crash_and_stops(server):
    server.start()
    server.start()
    with connect(server) as connection:
        # A server deletes what looks left over in its temporary directory when it starts: nobody shares one.
        cursor = connection.cursor()
        cursor.execute("SELECT @@tmpdir")
        assert cursor.fetchone() == (str(server.data) + ".tmp",)
        connection.cursor().execute("CREATE DATABASE kept")
        connection.cursor().execute("CREATE TABLE kept.one AS SELECT 1 AS one")
        server.kill()
    assert not server.running()
    server.start()
    with connect(server) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT one FROM kept.one")
        assert cursor.fetchone() == (1,)
    server.stop()
    server.stop()
    assert not server.running()


def test_nobody_gets_in_without_the_password(server):
    server.start()
    with pytest.raises(pymysql.OperationalError, match="Access denied"):
        connect(server, "guessed")
    with pytest.raises(pymysql.OperationalError, match="Access denied"):
        pymysql.connect(host="127.0.0.1", port=server.port, user="root")


def test_a_port_in_use_is_said(server, tmp_path):
    server.start()
    other = MariaDBServer(data=tmp_path / "other", port=server.port)
    with pytest.raises(ServerError, match="is in use"):
        other.start()


def test_the_server_is_found_where_debian_puts_it():
    assert server_binary().endswith("mariadbd")
