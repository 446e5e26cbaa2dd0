"""What is wrong with a DSN, or with what it leads to: one sentence, and never a part of the password."""

import socket
import struct
import threading

import psycopg
import pytest

from strangler.deploy.ports import free_port
from strangler.split import DatabaseUnreachable, Refused, Side
from strangler.split.store import Database
from tests.integration.split.outages import wait_for

UNREADABLE = "the DSN of the source database cannot be read"
WRONG = {
    "nobody listens": (
        "postgresql://ada:se3cret@127.0.0.1:{free}/shop",
        r'"shop" at 127.0.0.1:\d+ as "ada": Connection',
    ),
    "no such host": ("postgresql://ada:se3cret@nowhere.invalid/shop", 'at nowhere.invalid:5432 as "ada": .*resolve'),
    "no such database": ("{server}/nothing", 'database "nothing" does not exist'),
    "no such user": (
        "postgresql://nobody:se3cret@{address}/postgres",
        'password authentication failed for user "nobody"',
    ),
    "two hosts that are down": (
        "host=127.0.0.1,127.0.0.1 port={free},{free} user=ada password=se3cret dbname=shop",
        "Connection refused; check",
    ),
    "an @ in the password": ("postgresql://ada:se3@cret@127.0.0.1/shop", UNREADABLE),
    "a / in the password": ("postgresql://ada:se3/cret@127.0.0.1/shop", UNREADABLE),
    "a % in the password": ("postgresql://ada:se3%zzcret@127.0.0.1/shop", UNREADABLE),
    "a :// in the password": ("host=127.0.0.1 port={free} user=ada password=se3://cret", "Connection refused; check"),
    "another engine": ("oracle://ada:se3cret@127.0.0.1/shop", 'begins with "oracle"; write it as postgresql://'),
    "an @ in MySQL's password": ("mysql://ada:se3@cret@127.0.0.1:{free}/shop", "cannot connect to the source database"),
    "a / in MySQL's password": ("mysql://ada:se3/cret@127.0.0.1/shop", UNREADABLE),
    "a directory that is no SQLite": ("sqlite:///nowhere/shop.db", "source database"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_it_is_told_in_one_sentence_without_the_password(source_dsn, wrong):
    dsn, says = WRONG[wrong]
    server = source_dsn.rsplit("/", 1)[0]
    given = dsn.format(free=free_port(), server=server, address=server.rsplit("@", 1)[1])
    with pytest.raises(DatabaseUnreachable, match=says) as error:
        Database(name="source", dsn=given).connect()
    said = str(error.value)
    assert len(said.splitlines()) == 1
    assert "se3" not in said
    assert "cret" not in said


class Pooler:
    """Between client and server, as a pooler is: the client gets a number of the pooler's for its session."""

    def __init__(self, port: int) -> None:
        self.server = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        client, _ = self.listener.accept()
        with client, socket.create_connection(("127.0.0.1", self.server)) as server:
            threading.Thread(target=self._pass_on, args=(client, server), daemon=True).start()
            while kind := server.recv(1):
                size = server.recv(4, socket.MSG_WAITALL)
                body = server.recv(struct.unpack("!I", size)[0] - 4, socket.MSG_WAITALL)
                if kind == b"K":
                    body = struct.pack("!I", 4711) + body[4:]
                client.sendall(kind + size + body)

    @staticmethod
    def _pass_on(client: socket.socket, server: socket.socket) -> None:
        while data := client.recv(65536):
            server.sendall(data)


def test_a_pooler_is_recognised_by_its_own_numbers(source_dsn):
    given = psycopg.conninfo.conninfo_to_dict(source_dsn)
    pooler = Pooler(int(given["port"]))
    given |= {"port": pooler.listener.getsockname()[1], "sslmode": "disable", "gssencmode": "disable"}
    with pytest.raises(DatabaseUnreachable, match="leads to a pooler, where sessions change hands; give"):
        Database(name="source", dsn=psycopg.conninfo.make_conninfo(**given)).connect()


def test_a_subscription_passes_the_fence_and_so_refuses_the_switch(shop, traffic, source_dsn):
    """Its worker fires no statement trigger; a row of it would be at the target, and in no log."""
    shop.bring()
    server = source_dsn.rsplit("/", 1)[0]
    with psycopg.connect(server + "/postgres", autocommit=True) as admin:
        admin.execute("CREATE DATABASE publisher TEMPLATE template0")
    try:
        with psycopg.connect(server + "/publisher", autocommit=True) as publisher:
            publisher.execute("CREATE TABLE vote (id int8 PRIMARY KEY, review_id int8, voter text, helpful bool)")
            publisher.execute("CREATE PUBLICATION votes FOR TABLE vote")
            where = psycopg.conninfo.make_conninfo(server + "/publisher")
            shop.target.execute(
                f"CREATE SUBSCRIPTION votes CONNECTION '{where}' PUBLICATION votes WITH (copy_data = off)"
            )
            publisher.execute("INSERT INTO vote VALUES (4711, 1, 'from elsewhere', true)")
        passed = "SELECT count(*) FROM vote WHERE voter = 'from elsewhere'"
        wait_for(lambda: shop.target.execute(passed).fetchone() == (1,))
        with pytest.raises(
            Refused, match=r'"public.vote" is written by the subscription "votes", which no fence stops'
        ):
            shop.move.switch(Side.TARGET, traffic)
    finally:
        shop.target.execute("DROP SUBSCRIPTION IF EXISTS votes")
        with psycopg.connect(server + "/postgres", autocommit=True) as admin:
            admin.execute("DROP DATABASE publisher WITH (FORCE)")
