"""What is refused before a move, and before a switch: one sentence each, and nothing is changed on either side."""

from __future__ import annotations

import sys
from dataclasses import replace

import psycopg
import pytest

from strangler.split import DatabaseUnreachable, Move, MoveSpec, Refused, Replica, Side, SplitError
from strangler.split.ownership import take_picture
from strangler.split.store import Database
from strangler.split.stream import send_beat
from tests.integration.split.conftest import SPEC, TABLES, prepared
from tests.integration.split.state import state

SOURCE, TARGET = Side.SOURCE, Side.TARGET

# what is wrong: (where, how it comes, how it goes, what is said)
BEFORE_A_MOVE = {
    "a table that is missing": (
        SOURCE,
        "ALTER TABLE vote RENAME TO votes",
        "ALTER TABLE votes RENAME TO vote",
        'there is no table "vote" in database ".*" that ".*" can see; migrate it first, or correct the',
    ),
    "a view": (
        SOURCE,
        "ALTER TABLE vote RENAME TO votes; CREATE VIEW vote AS SELECT * FROM votes",
        "DROP VIEW vote; ALTER TABLE votes RENAME TO vote",
        '"vote" in database ".*" is no table; only tables can be moved',
    ),
    "a table without a primary key": (
        SOURCE,
        "ALTER TABLE vote DROP CONSTRAINT vote_pkey",
        "ALTER TABLE vote ADD PRIMARY KEY (id)",
        'table "vote" in database ".*" has no primary key; give it one',
    ),
    "another primary key": (
        TARGET,
        "ALTER TABLE vote DROP CONSTRAINT vote_pkey, ADD PRIMARY KEY (id, review_id)",
        "ALTER TABLE vote DROP CONSTRAINT vote_pkey, ADD PRIMARY KEY (id)",
        'table "public.vote" has another primary key in the target; migrate one of them',
    ),
    "a column that is missing": (
        TARGET,
        "ALTER TABLE review RENAME body TO text",
        "ALTER TABLE review RENAME text TO body",
        'table "public.review" differs: only the source has "body text", only the target has "text text"; migrate',
    ),
    "a column of another type": (
        TARGET,
        "ALTER TABLE vote ALTER voter TYPE varchar(10)",
        "ALTER TABLE vote ALTER voter TYPE text",
        r'only the source has "voter text", only the target has "voter character varying\(10\)"; migrate',
    ),
    "a replica's column that is missing": (
        SOURCE,
        "ALTER TABLE product RENAME name TO title",
        "ALTER TABLE product RENAME title TO name",
        'table "product" in database ".*" has no column "name"; correct the plan or migrate',
    ),
    "a foreign key to a table that stays, whose deletions cascade": (
        SOURCE,
        "ALTER TABLE review ADD CONSTRAINT to_product FOREIGN KEY (product_id) REFERENCES product ON DELETE CASCADE",
        "ALTER TABLE review DROP CONSTRAINT to_product",
        'the foreign key "to_product" still ties "review" to "product"; cut it first',
    ),
    "a foreign key from a table that stays": (
        SOURCE,
        "CREATE TABLE note (review_id bigint CONSTRAINT to_review REFERENCES review ON DELETE CASCADE)",
        "DROP TABLE note",
        'in the source database the foreign key "to_review" still ties "note" to "review"; cut it first',
    ),
    "a target that is not empty": (
        TARGET,
        "INSERT INTO product VALUES (1, 'old')",
        "DELETE FROM product",
        'table "public.product" of the target is not empty; look whose rows these are, and empty it before',
    ),
    "an unlogged table": (
        SOURCE,
        "ALTER TABLE vote SET UNLOGGED",
        "ALTER TABLE vote SET LOGGED",
        'table "public.vote" is UNLOGGED and would be empty after a crash; ALTER TABLE public.vote SET LOGGED',
    ),
    "a table that another one inherits": (
        SOURCE,
        "CREATE TABLE old_vote () INHERITS (vote)",
        "DROP TABLE old_vote",
        r'table "vote" in database ".*" shares rows with "old_vote" \(INHERITS\), whose triggers do not fire for it',
    ),
    "a trigger that would run for carried rows": (
        TARGET,
        "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER stamp "
        "BEFORE INSERT ON vote FOR EACH ROW EXECUTE FUNCTION nothing(); ALTER TABLE vote ENABLE ALWAYS TRIGGER stamp",
        "DROP FUNCTION nothing CASCADE",
        'the trigger "stamp" on "public.vote" would run again for rows that are carried over; ALTER TABLE',
    ),
    "row level security": (
        TARGET,
        "ALTER TABLE vote ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE vote DISABLE ROW LEVEL SECURITY",
        'table "public.vote" has row level security, which would hide rows from the applier; CREATE ROLE',
    ),
    "a database that takes no writes": (
        TARGET,
        "ALTER DATABASE {name} SET default_transaction_read_only = on",
        "SET default_transaction_read_only = off; ALTER DATABASE {name} RESET default_transaction_read_only",
        r"takes no writes \(default_transaction_read_only is on\); set it to off",
    ),
    "a server that forgets its commits": (
        SOURCE,
        "ALTER DATABASE {name} SET strangler.forgetful = off",
        "ALTER DATABASE {name} RESET strangler.forgetful",
        r"may forget or break what it has committed in a power cut \(fsync is off\); set it to on",
    ),
}


@pytest.fixture(scope="module")
def planned(request):
    """A shop for all cases, each of which is undone."""
    with prepared() as shop:
        yield shop


@pytest.mark.parametrize("case", BEFORE_A_MOVE)
def test_a_move_is_refused_and_nothing_is_changed(planned, case):
    side, comes, goes, says = BEFORE_A_MOVE[case]
    refused(planned, side, comes, goes, says, planned.move.create)


def refused(shop, side, comes, goes, says, verb):
    there = shop.connection(side)
    name = there.info.dbname
    there.execute(comes.format(name=name))
    try:
        before = [state(shop.source), state(shop.target)]
        with pytest.raises(SplitError, match=says) as error:
            verb()
        assert len(str(error.value).splitlines()) == 1
        assert [state(shop.source), state(shop.target)] == before
    finally:
        there.execute(goes.format(name=name))


# what is wrong: (where, how it comes, how it goes, what is said)
BEFORE_A_SWITCH = {
    "a foreign key that was made meanwhile": (
        SOURCE,
        "ALTER TABLE review ADD CONSTRAINT to_product FOREIGN KEY (product_id) REFERENCES product",
        "ALTER TABLE review DROP CONSTRAINT to_product",
        'the foreign key "to_product" still ties "review" to "product"; cut it first',
    ),
    "a table that inherits since": (
        SOURCE,
        "CREATE TABLE old_vote () INHERITS (vote)",
        "DROP TABLE old_vote",
        r'table "vote" in database ".*" shares rows with "old_vote" \(INHERITS\), whose triggers do not fire for it',
    ),
    "clocks that are apart": (
        TARGET,
        "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS "
        "$$ SELECT pg_catalog.clock_timestamp() + interval '90 s' $$; "
        "ALTER DATABASE {name} SET search_path = public, pg_catalog",
        "ALTER DATABASE {name} RESET search_path; DROP FUNCTION public.clock_timestamp",
        "the clocks of the two databases are 90 s apart, more than 60 s; set them by NTP",
    ),
    "no comparison": (
        SOURCE,
        "CREATE TEMP TABLE kept AS SELECT * FROM strangler.verifications; DELETE FROM strangler.verifications",
        "INSERT INTO strangler.verifications SELECT * FROM kept; DROP TABLE kept",
        "the two sides were never compared; verify first",
    ),
    "an old comparison": (
        SOURCE,
        "UPDATE strangler.verifications SET verified_at = verified_at - 7200",
        "UPDATE strangler.verifications SET verified_at = verified_at + 7200",
        "the last verification is 120 minutes old; verify again",
    ),
    "a copy that is not complete": (
        TARGET,
        "UPDATE strangler.copies SET cut = false WHERE name = 'vote'",
        "UPDATE strangler.copies SET cut = true WHERE name = 'vote'",
        "the copy is not complete; run it to its end first",
    ),
    "a capture that was stopped": (
        TARGET,
        "UPDATE strangler.streams SET stopped = 'by somebody'",
        "UPDATE strangler.streams SET stopped = NULL",
        "the capture of the target was stopped: by somebody; cancel the move and create it again",
    ),
    "a fence that was switched by hand": (
        TARGET,
        "ALTER TABLE review DISABLE TRIGGER strangler_fence",
        "ALTER TABLE review ENABLE ALWAYS TRIGGER strangler_fence",
        'the fence on "public.review" is in state "D", not "A": somebody changed its triggers by hand',
    ),
    "a column that was added at one side": (
        SOURCE,
        "ALTER TABLE review ADD mood text",
        "ALTER TABLE review DROP mood",
        'table "public.review" differs: only the source has "mood text"',
    ),
    "a move that is complete": (
        TARGET,
        "UPDATE strangler.ownership SET done = true",
        "UPDATE strangler.ownership SET done = false",
        'move "0001_reviews" is complete; there is no way back any more',
    ),
    "an ownership that an attempt has left": (
        SOURCE,
        "UPDATE strangler.ownership SET owns = false",
        "UPDATE strangler.ownership SET owns = true",
        'move "0001_reviews" cannot be switched to the target: nobody owns, the source did last .*; recover it first',
    ),
}


@pytest.fixture(scope="module")
def brought():
    """A shop whose move could be switched, if it were not for each case."""
    with prepared() as shop:
        shop.bring()
        with shop.move.session() as session:
            session.remember_peers()
        yield shop


@pytest.mark.parametrize("case", BEFORE_A_SWITCH)
def test_a_switch_is_refused_and_nothing_is_changed(brought, traffic, case):
    side, comes, goes, says = BEFORE_A_SWITCH[case]
    refused(brought, side, comes, goes, says, lambda: brought.move.switch(TARGET, traffic))
    assert not traffic.asked


def test_one_database_given_twice_is_refused(planned):
    before = state(planned.source)
    with pytest.raises(Refused, match="are the same database; correct one of the two DSNs"):
        Move(
            MoveSpec(name="twice", moved=("review", "vote")), planned.move.source.dsn, planned.move.source.dsn
        ).create()
    assert state(planned.source) == before


def test_databases_that_are_swapped_are_told(brought, traffic):
    swapped = Move(SPEC, brought.move.target.dsn, brought.move.source.dsn)
    for verb in (lambda: swapped.switch(TARGET, traffic), lambda: swapped.recover(traffic), swapped.verify):
        with pytest.raises(SplitError, match="are swapped; correct the two DSNs"):
            verb()


def test_a_replica_without_its_key_is_refused(planned):
    spec = replace(SPEC, replicated=(Replica(table="product", columns=("name",)),))
    with pytest.raises(SplitError, match='leave out "id" of its primary key; add it to the plan'):
        Move(spec, planned.move.source.dsn, planned.move.target.dsn).create()


def test_a_table_of_another_move_is_refused_before_anything_is_set_up(brought):
    before = [state(brought.source), state(brought.target)]
    other = MoveSpec(name="0002_votes", moved=("vote", "review"))
    with pytest.raises(Refused, match=r'"public.vote" of the source is on its way in move "0001_reviews" already'):
        Move(other, brought.move.source.dsn, brought.move.target.dsn).create()
    assert [state(brought.source), state(brought.target)] == before


def test_a_database_in_another_encoding_is_refused(planned):
    server = planned.move.target.dsn.rsplit("/", 1)[0]
    with psycopg.connect(server + "/postgres", autocommit=True) as admin:
        admin.execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'")
    try:
        with psycopg.connect(server + "/latin", autocommit=True) as latin:
            latin.execute(TABLES)
            with pytest.raises(SplitError) as error:
                Move(MoveSpec(name="latin", moved=("review",)), server + "/latin", planned.move.target.dsn).create()
            assert "is encoded in LATIN1; only UTF8 can be compared" in str(error.value)
    finally:
        with psycopg.connect(server + "/postgres", autocommit=True) as admin:
            admin.execute("DROP DATABASE latin WITH (FORCE)")


def test_a_dry_run_says_what_would_be_refused_now(planned):
    planned.target.execute("INSERT INTO product VALUES (1, 'old')")
    try:
        assert next(planned.move.effects()).startswith('-- would be refused now: table "public.product" of the target')
    finally:
        planned.target.execute("DELETE FROM product")


def test_every_reason_of_a_side_is_told_at_once(planned):
    planned.source.execute("ALTER TABLE vote SET UNLOGGED; ALTER TABLE review ENABLE ROW LEVEL SECURITY")
    try:
        with pytest.raises(Refused, match=r'"public.vote" is UNLOGGED.*; table "public.review" has row level'):
            planned.move.create()
    finally:
        planned.source.execute("ALTER TABLE review DISABLE ROW LEVEL SECURITY; ALTER TABLE vote SET LOGGED")


def test_a_move_that_is_not_created_is_told_by_every_verb(planned, traffic):
    verbs = (planned.move.catch_up, planned.move.verify, lambda: planned.move.switch(TARGET, traffic))
    for verb in verbs:
        with pytest.raises(SplitError, match='move "0001_reviews" is not created; create it first'):
            verb()


def test_a_switch_to_the_owner_has_nothing_to_do(brought, traffic):
    with pytest.raises(Refused, match=r"the source owns .*; there is nothing to do"):
        brought.move.switch(SOURCE, traffic)


def test_a_repair_needs_an_owner(brought):
    brought.source.execute("UPDATE strangler.ownership SET owns = false")
    try:
        with pytest.raises(Refused, match=r"cannot be repaired: nobody owns, .*; recover it first"):
            brought.move.repair([])
        said = ("nobody owns: a switch is under way or died; recover the move",)
        assert brought.move.status().refusals == said
    finally:
        brought.source.execute("UPDATE strangler.ownership SET owns = true")


def test_a_move_that_is_not_set_up_on_a_side_is_told_with_the_side(brought):
    with brought.move.source.connect() as source, brought.move.target.connect() as target:
        with pytest.raises(SplitError, match='move "0009_other" is not set up in the source database; create it first'):
            take_picture(source, target, "0009_other")
        with pytest.raises(SplitError, match='move "0009_other" is not set up in the target database; create it first'):
            send_beat(target, "0009_other")


def test_a_database_whose_driver_is_not_installed_is_told_with_what_to_install(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("strangler.split.mysql")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pymysql", None)
    says = r'the source database needs "pymysql"; pip install "django-strangler\[mysql\]"'
    with pytest.raises(DatabaseUnreachable, match=says):
        Database(name="source", dsn="mysql://ada@127.0.0.1:1/shop").connect()


def test_an_ownership_that_never_stands_still_is_told(brought):
    class Restless:
        """The source's store, whose row somebody changes before each look."""

        def __getattr__(self, name):
            brought.source.execute("UPDATE strangler.ownership SET epoch = epoch + 1")
            return getattr(store, name)

    says = "keeps changing; another executor is at work, try later"
    with (
        brought.move.source.connect() as store,
        brought.move.target.connect() as other,
        pytest.raises(SplitError, match=says),
    ):
        take_picture(Restless(), other, SPEC.name, seconds=0)


def test_catching_up_that_takes_too_long_is_told(shop):
    shop.bring()
    shop.add_review(SOURCE)
    with pytest.raises(SplitError, match="still had about 1 changes to apply when its time was over; let it catch up"):
        shop.move.catch_up(seconds=-1)


def test_a_table_that_was_truncated_asks_for_a_whole_comparison(shop, traffic):
    shop.bring()
    shop.source.execute("TRUNCATE vote")
    with pytest.raises(SplitError, match='table "vote" was truncated since the last verification; verify again'):
        shop.move.switch(TARGET, traffic)
    assert not traffic.asked
