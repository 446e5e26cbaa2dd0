"""What pgoutput's messages say, and which transactions a snapshot sees. The integration tests have real ones."""

from __future__ import annotations

import json
import struct

import pytest

from strangler.split.log import HEARTBEAT, Change
from strangler.split.postgres.log import is_visible
from strangler.split.postgres.pgoutput import APPLIED, LARGE, PUT, transactions
from strangler.split.table import Column, Family, Table

KEY = (Column(name="flag", type="boolean", family=Family.BOOLEAN), Column(name="id", type="bytea", family=Family.BYTES))
TABLE = Table(name="thing", relation="public.thing", columns=KEY, key=KEY)
TABLES = {7: TABLE}


def begin(xid):
    return b"B" + struct.pack("!QqI", 100, 0, xid)


def commit(end):
    return b"C" + struct.pack("!bQQq", 0, end - 8, end, 0)


def relation(number=7, columns=("id", "body", "flag")):
    described = b"".join(b"\1" + name.encode() + b"\0" + struct.pack("!Ii", 25, -1) for name in columns)
    return b"R" + struct.pack("!I", number) + b"public\0thing\0d" + struct.pack("!h", len(columns)) + described


def row(*values):
    parts = [struct.pack("!h", len(values))]
    for value in values:
        if value in (None, "unchanged"):
            parts.append(b"n" if value is None else b"u")
        else:
            parts.append(b"t" + struct.pack("!i", len(value)) + value.encode())
    return b"".join(parts)


def change(kind, *rows, number=7):
    return kind + struct.pack("!I", number) + b"".join(rows)


def message(prefix, content):
    return b"M\1" + struct.pack("!Q", 90) + prefix.encode() + b"\0" + struct.pack("!I", len(content)) + content.encode()


def read(*messages):
    return next(transactions([begin(5), *messages, commit(200)], "0001_things", TABLES))


def test_a_large_transaction_comes_in_parts_of_which_the_last_one_has_its_end():
    rows = [change(b"I", b"N", row(f"\\x{n:08x}", "", "t")) for n in range(2 * LARGE + 1)]
    parts = list(transactions([begin(5), relation(), *rows, commit(200), begin(6), commit(300)], "0001_things", TABLES))
    assert [len(part.changes) for part in parts] == [LARGE, LARGE, 1, 0]
    assert [(part.xid, part.commit, part.end) for part in parts] == [
        (5, 100, 0),
        (5, 100, 0),
        (5, 100, 200),
        (6, 100, 300),
    ]
    assert len({found.key for part in parts for found in part.changes}) == 2 * LARGE + 1


def keys(*messages):
    return [change.key for change in read(relation(), *messages).changes]


def test_keys_stand_in_the_order_of_the_primary_key_and_as_the_triggers_write_them():
    assert keys(change(b"I", b"N", row("\\xff00", "body", "t"))) == [("true", "ff00")]
    assert keys(change(b"D", b"K", row("\\x", None, "f"))) == [("false", "")]


def test_an_update_names_the_key_before_and_after_where_it_changed():
    new = row("\\x02", "body", "t")
    assert keys(change(b"U", b"N", new)) == [("true", "02")]
    assert keys(change(b"U", b"K", row("\\x01", None, "t"), b"N", new)) == [("true", "01"), ("true", "02")]


def test_a_key_that_is_not_sent_again_is_that_of_the_old_row():
    rows = (b"O", row("\\x01", "old", "t"), b"N", row("unchanged", "new", "t"))
    assert keys(change(b"U", *rows)) == [("true", "01")]


def test_a_key_that_is_not_told_is_an_error_and_no_other_key():
    with pytest.raises(ValueError, match='does not say what "id" of a key was'):
        keys(change(b"U", b"N", row("unchanged", "new", "t")))
    with pytest.raises(ValueError, match=r"the key of .* was altered"):
        read(relation(columns=("number", "flag")))


def test_other_tables_are_counted_and_left_out():
    other = relation(number=8), change(b"I", b"N", row("1", "", ""), number=8)
    found = read(*other, relation(), change(b"I", b"N", row("\\x01", "", "t")))
    assert (found.xid, found.end, found.size) == (5, 200, 2)
    assert found.changes == [Change(name="thing", key=("true", "01"))]


def test_a_truncated_table_is_one_change_however_many_partitions_it_has():
    truncate = b"T" + struct.pack("!IbIII", 3, 0, 7, 9, 7)
    assert read(truncate).changes == [Change(name="thing", key=None)]


def test_a_transaction_of_the_appliers_brings_nothing():
    truncate = b"T" + struct.pack("!IbI", 1, 0, 7)
    found = read(message(APPLIED, ""), relation(), change(b"I", b"N", row("\\x01", "", "t")), truncate)
    assert (found.applied, found.changes) == (True, [])


def test_what_is_put_into_the_log_of_other_moves_is_left_out_and_so_are_messages_of_others():
    beats = [message(PUT, json.dumps([move, HEARTBEAT, ["3", "1.5"]])) for move in ("0002_others", "0001_things")]
    assert read(message("other", "{"), *beats).changes == [Change(name=HEARTBEAT, key=("3", "1.5"))]


@pytest.mark.parametrize(
    ("xid", "snapshot", "visible"),
    [
        (99, "90:100:", True),
        (99, "90:100:95,99", False),
        (100, "90:100:", False),
        (101, "90:100:", False),
        (89, "90:100:95", True),
        # The numbers of transactions in the log have 32 bits, those of snapshots 64.
        (5, f"{2**32 + 1}:{2**32 + 9}:{2**32 + 5}", False),
        (6, f"{2**32 + 1}:{2**32 + 9}:{2**32 + 5}", True),
        (2**32 - 3, f"{2**32 - 9}:{2**32 + 9}:{2**32 - 4}", True),
        (2**32 - 4, f"{2**32 - 9}:{2**32 + 9}:{2**32 - 4}", False),
        (3, f"{2**32 - 9}:{2**32 - 2}:", False),
    ],
)
def test_a_snapshot_sees_what_had_ended_when_it_was_taken(xid, snapshot, visible):
    assert is_visible(xid, snapshot) is visible
