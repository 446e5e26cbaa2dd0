"""The checker, proved by corrupting what it checks."""

import psycopg
import pytest

from strangler.workshop.checker import check
from strangler.workshop.journal import Entry, Journal, Outcome, read

TABLES = """
    CREATE TABLE accounts_user (id bigint PRIMARY KEY, username text);
    CREATE TABLE reviews_review (id bigint GENERATED ALWAYS AS IDENTITY, reference uuid, product_id bigint,
        author_id bigint, rating int, title text, body text);
    CREATE TABLE reviews_vote (reference uuid, review_id bigint, voter_id bigint, helpful boolean);
    CREATE TABLE orders_order (number uuid, customer_id bigint);
    INSERT INTO accounts_user VALUES (1, 'shopper-1-1'), (2, 'somebody else');
"""
REVIEW, VOTE, ORDER = (f"00000000-0000-0000-0000-00000000000{n}" for n in (1, 2, 3))
VALUES = {"product": 5, "rating": 4, "title": "Fine", "body": "Good."}


def entry(kind="review", key=REVIEW, outcome=Outcome.ACKNOWLEDGED, deleted=False, **values):
    values = values or (VALUES if kind == "review" and not deleted else {})
    return Entry(
        at=1.0, seconds=0.1, outcome=outcome, what="", status=201, kind=kind, key=key, deleted=deleted, values=values
    )


@pytest.fixture
def shop(source_dsn):
    with psycopg.connect(source_dsn, autocommit=True) as connection:
        connection.execute(TABLES)
        connection.execute(
            "INSERT INTO reviews_review (reference, product_id, author_id, rating, title, body) "
            "VALUES (%s, 5, 1, 4, 'Fine', 'Good.')",
            (REVIEW,),
        )
        connection.execute("INSERT INTO reviews_vote VALUES (%s, 1, 1, true)", (VOTE,))
        connection.execute("INSERT INTO orders_order VALUES (%s, 1)", (ORDER,))
        yield connection


@pytest.fixture
def findings(source_dsn):
    return lambda entries: check(entries, source_dsn, source_dsn)


WRITTEN = [entry(), entry("vote", VOTE, review=1, helpful=True), entry("order", ORDER)]


def test_what_was_acknowledged_is_there(shop, findings):
    found = findings(WRITTEN)
    assert (found.acknowledged, found.all) == (3, [])


@pytest.mark.parametrize(
    ("corruption", "kind"),
    [
        ("UPDATE reviews_review SET rating = 1", "lost"),
        ("UPDATE reviews_review SET body = ''", "lost"),
        ("DELETE FROM reviews_vote", "lost"),
        ("UPDATE reviews_vote SET helpful = false", "lost"),
        ("DELETE FROM orders_order", "lost"),
        ("INSERT INTO reviews_vote SELECT * FROM reviews_vote", "duplicated"),
        ("INSERT INTO orders_order SELECT * FROM orders_order", "duplicated"),
        ("INSERT INTO orders_order VALUES (gen_random_uuid(), 1)", "unexplained"),
    ],
)
def test_corruption_is_found(shop, findings, corruption, kind):
    shop.execute(corruption)
    found = findings(WRITTEN)
    assert len(getattr(found, kind)) == 1
    assert len(found.all) == 1


def test_a_review_that_is_lost_with_its_votes_is_found_by_both(shop, findings):
    shop.execute("DELETE FROM reviews_review")
    shop.execute("DELETE FROM reviews_vote")
    assert [finding.kind for finding in findings(WRITTEN).lost] == ["review", "vote"]


def test_a_lost_review_that_no_shopper_wrote_is_found_by_its_votes(shop, findings):
    shop.execute("DELETE FROM reviews_review")
    shop.execute("DELETE FROM reviews_vote")
    assert [finding.key for finding in findings(WRITTEN[1:]).lost] == [VOTE]


def test_a_deleted_row_that_is_back_is_found(shop, findings):
    found = findings([*WRITTEN, entry(deleted=True, id=1)])
    assert [finding.key for finding in found.resurrected] == [REVIEW]


def test_the_last_acknowledged_value_counts(shop, findings):
    edited = {**VALUES, "body": "Better."}
    assert len(findings([*WRITTEN, entry(**edited)]).lost) == 1
    shop.execute("UPDATE reviews_review SET body = 'Better.'")
    assert findings([*WRITTEN, entry(**edited)]).all == []


def test_a_write_without_an_answer_may_have_happened_or_not(shop, findings):
    unanswered = entry(outcome=Outcome.FAILED, **{**VALUES, "body": "Perhaps."})
    assert findings([*WRITTEN, unanswered]).all == []
    shop.execute("UPDATE reviews_review SET body = 'Perhaps.'")
    assert findings([*WRITTEN, unanswered]).all == []
    shop.execute("UPDATE reviews_review SET body = 'Something else.'")
    assert len(findings([*WRITTEN, unanswered]).lost) == 1


def test_a_refused_write_must_not_be_there(shop, findings):
    found = findings([*WRITTEN[1:], entry(outcome=Outcome.REFUSED)])
    assert [finding.key for finding in found.unexplained] == [REVIEW]


def test_a_vote_goes_with_its_review(shop, findings):
    shop.execute("DELETE FROM reviews_vote")
    shop.execute("DELETE FROM reviews_review")
    assert findings([*WRITTEN, entry(deleted=True, id=1)]).all == []


def test_rows_of_other_people_are_nobodys_business(shop, findings):
    shop.execute("INSERT INTO orders_order VALUES (gen_random_uuid(), 2)")
    assert findings(WRITTEN).all == []


def test_a_journal_is_read_back_without_its_torn_end(tmp_path):
    journal = Journal(tmp_path / "new" / "journal.jsonl")
    for written in WRITTEN:
        journal.note(written)
    journal.close()
    with (tmp_path / "new" / "journal.jsonl").open("a") as out:
        out.write('{"at": 1.0, "secon')
    assert list(read(tmp_path / "new" / "journal.jsonl")) == WRITTEN
