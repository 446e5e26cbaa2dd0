"""The administrator's rights on MariaDB: what is enough for a whole life of a move, and each of them taken away."""

from __future__ import annotations

import re

import pytest

from strangler.split import Move, Refused, Side
from tests.integration.split.conftest import SPEC

USER = "mover@'127.0.0.1'"
ON_DATABASE = ["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "REFERENCES", "TRIGGER"]
ON_SERVER = ["CREATE USER", "PROCESS"]


@pytest.fixture
def limited(shop):
    """A shop whose move is made by a user with no right too many; the source alone has a binary log."""
    dsns = []
    for side in Side:
        client = shop.client(side)
        client.query(f"CREATE USER {USER} IDENTIFIED BY 'word'")
        client.query(f"GRANT {', '.join(ON_DATABASE)} ON {database(client)}.* TO {USER} WITH GRANT OPTION")
        client.query(f"GRANT {', '.join(ON_SERVER)} ON *.* TO {USER}")
        dsns.append(re.sub("//[^@]+@", "//mover:word@", client.dsn))
    shop.source.query(f"GRANT SUPER ON *.* TO {USER}")
    shop.move = Move(SPEC, *dsns)
    yield shop
    for side in Side:
        shop.client(side).query(f"DROP USER {USER}")


def database(client):
    return client.dsn.rsplit("/", 1)[1]


def test_each_right_that_is_missing_is_named_and_nothing_is_changed_and_with_all_a_move_lives(limited, traffic):
    here, there = f"{database(limited.source)}.*", f"{database(limited.target)}.*"
    missing = [
        *((limited.target, right, there, f"GRANT {right} ON the database to it") for right in ON_DATABASE),
        *((limited.source, right, "*.*", f"GRANT {right} ON *.* to it") for right in ON_SERVER),
        (limited.target, "GRANT OPTION", there, "GRANT these ON the database to it WITH GRANT OPTION"),
        (limited.source, "SUPER", "*.*", "GRANT SUPER ON *.* to it, or set log_bin_trust_function_creators to ON"),
    ]
    assert here != there
    for client, right, where, says in missing:
        client.query(f"REVOKE {right} ON {where} FROM {USER}")
        side = "source" if client is limited.source else "target"
        with pytest.raises(Refused) as refused:
            limited.move.create()
        said = rf'in the {side} database the user "mover@127.0.0.1" of database ".*" lacks rights: {re.escape(says)}'
        assert re.match(said, str(refused.value)), refused.value
        assert len(str(refused.value).splitlines()) == 1
        for other in (limited.source, limited.target):
            assert not other.query("SHOW TABLES LIKE 'strangler%'")
        if right == "GRANT OPTION":
            client.query(f"GRANT {', '.join(ON_DATABASE)} ON {where} TO {USER} WITH GRANT OPTION")
        else:
            client.query(f"GRANT {right} ON {where} TO {USER}")

    limited.bring()
    limited.move.switch(Side.TARGET, traffic)
    limited.move.switch(Side.SOURCE, traffic)
    limited.move.cancel()
    limited.bring()
    limited.move.switch(Side.TARGET, traffic)
    limited.move.complete(traffic)
    assert limited.count(Side.TARGET, "review") == 1_000
