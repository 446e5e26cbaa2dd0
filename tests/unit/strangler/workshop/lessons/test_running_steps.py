"""What is told at the steps that need a running Orchard, from records, journals and answers as they could be."""

from collections import Counter

import pytest

from strangler.workshop.instance import ROOT
from strangler.workshop.journal import Entry, Outcome
from strangler.workshop.lessons.answers import Answers
from strangler.workshop.lessons.files import lay, tree_of
from strangler.workshop.lessons.orchard import Standing
from strangler.workshop.lessons.record import COPY, SWITCH, Event
from strangler.workshop.lessons.step import checks, step

MEASURED = {"deployment": 6.0, "complexity": 1.0, "failure": 5.5, "ownership": 7.0, "one size": 1000.0, "fear": 30.0}
READ = {
    "routes_that_wait": 6,
    "circles": 1,
    "seconds_until_products": 5.5,
    "tables_of_several": 7,
    "rows_a_search_reads": 1000,
}
SHADOWED = {"place": "$.results[].helpful_votes", "answered_by": "monolith", "reached_clients": 0}
ROLLED_BACK = {"rolled_back_by": "plan", "clients_failed": 0, "column": "price"}
REVERSED = {"title": "Mine", "refuses": "reviews", "ends_it": "RetireTables"}
PAGE = [{"id": 1, "rating": 5, "helpful_votes": 2}, {"id": 2, "rating": 4, "helpful_votes": 0}]
WORSE = [{"id": 1, "rating": 5, "helpful_votes": 3}, {"id": 3, "rating": 1, "helpful_votes": 0}]


def of(number):
    return checks(step(number).folder)


def said(findings):
    return "\n".join(map(str, findings))


def answered(**given):
    return Answers(path="answers.toml", given=given)


def at(applied, owner="monolith", half_done=False):
    return Standing(applied=applied, owner=owner, half_done=half_done)


def events(*told, index=SWITCH, forwards=True, begin=0.0):
    """Events a second apart; a text is what happened, a mapping the facts of a step."""
    return [
        Event(
            at=begin + n,
            index=index,
            forwards=forwards,
            event=one if isinstance(one, str) else "step",
            facts={} if isinstance(one, str) else one,
        )
        for n, one in enumerate(told)
    ]


def verdict(outcome, weight=0):
    return {"step": "verdict", "outcome": outcome, "weight": weight}


@pytest.mark.parametrize(
    ("changes", "measured", "told"),
    [
        ({}, MEASURED, ""),
        ({}, {}, "nothing was measured yet"),
        ({"circles": 7}, MEASURED, '7 is the figure of "ownership"'),
        ({"seconds_until_products": 5500}, MEASURED, "that is in milliseconds"),
        ({"rows_a_search_reads": 20}, MEASURED, "20 is not what was measured last"),
    ],
)
def test_problems_that_were_measured(changes, measured, told):
    found = said(of(1).judge(answered(**READ | changes), measured))
    assert told in found
    assert bool(told) == bool(found)


SEEN = events("started", verdict("failed"), "failed", "started", verdict("success"), verdict("success", 5000), "done")


@pytest.mark.parametrize(
    ("changes", "service", "seen", "now", "told"),
    [
        ({}, PAGE, SEEN, at(7, "reviews"), ""),
        ({"place": "$.results[].rating"}, PAGE, SEEN, at(7, "reviews"), "is the same on both sides"),
        ({"place": "helpful_votes"}, PAGE, SEEN, at(7, "reviews"), "a name, not a place"),
        ({"answered_by": "reviews"}, PAGE, SEEN, at(7, "reviews"), "a shadow's answer goes to nobody"),
        ({"reached_clients": 12}, PAGE, SEEN, at(7, "reviews"), "no client gets a shadow's answer"),
        ({}, WORSE, SEEN, at(6), 'the service still says another "helpful_votes"'),
        ({}, [], SEEN, at(6), "one side does not answer"),
        ({}, PAGE, SEEN[3:], at(7, "reviews"), "no shadow has shown a difference yet"),
        ({}, PAGE, SEEN[:3], at(6), "were not judged alike since"),
        ({}, PAGE, SEEN[:5], at(6), "the switch has not come yet"),
    ],
)
def test_shadows(changes, service, seen, now, told):
    found = said(of(7).judge(answered(**SHADOWED | changes), PAGE, service, seen, now))
    assert told in found
    assert bool(told) == bool(found)


CANARY = events("started", verdict("failed", 5000), "failed", "started", verdict("success", 5000), "done")


@pytest.mark.parametrize(
    ("changes", "seen", "now", "told"),
    [
        ({}, CANARY, at(7, "reviews"), ""),
        ({"rolled_back_by": "person"}, CANARY, at(7, "reviews"), "nobody had to be there"),
        ({"clients_failed": 50}, CANARY, at(7, "reviews"), "is answered by the owner"),
        ({"column": "catalog_product.name"}, CANARY, at(7, "reviews"), '"name" is copied'),
        ({"column": "prize"}, CANARY, at(7, "reviews"), "its log names another one"),
        ({}, CANARY[3:], at(7, "reviews"), "no canary has failed yet"),
        ({}, CANARY[:3], at(6), "has not come back with a good version"),
        ({}, CANARY, at(6), "the service does not own the reviews"),
    ],
)
def test_a_canary(changes, seen, now, told):
    found = said(of(8).judge(answered(**ROLLED_BACK | changes), seen, now))
    assert told in found
    assert bool(told) == bool(found)


MOVE = [*events("started", "done", index=COPY, begin=10), *events("started", "done", begin=20)]


def journal(*moments, outcome=Outcome.ACKNOWLEDGED):
    return [
        Entry(at=one, seconds=0.1, outcome=outcome, what="POST review", status=201, kind="review", key=str(one))
        for one in moments
    ]


BESIDE = journal(*(8 + n for n in range(20)), 10.5, 20.5)


@pytest.mark.parametrize(
    ("entries", "now", "amiss", "told"),
    [
        (BESIDE, at(7, "reviews"), [], ""),
        (BESIDE, at(6), [], "does not own the reviews yet"),
        (journal(*range(30, 60)), at(7, "reviews"), [], "nobody wrote while the tables were copied"),
        (journal(10.5, *range(30, 60)), at(7, "reviews"), [], "nobody wrote while the tables changed hands"),
        (journal(10.5, 20.5), at(7, "reviews"), [], "only 2 writes were acknowledged"),
        (BESIDE, at(7, "reviews"), ["review x: is not there"], "review x: is not there"),
        (
            [*BESIDE, *journal(30, outcome=Outcome.FAILED)],
            at(7, "reviews"),
            [],
            "1 requests failed, the first: POST review",
        ),
    ],
)
def test_a_move_under_load(entries, now, amiss, told):
    found = said(of(9).judge(entries, MOVE, now, amiss))
    assert told in found
    assert bool(told) == bool(found)


KILLED = events("started", {"step": "reads"}, "started", {"step": "reads"}, "done")


@pytest.mark.parametrize(
    ("seen", "now", "told"),
    [
        (KILLED, at(7, "reviews"), ""),
        ([], at(6), "never begun"),
        (KILLED[:2], at(6, half_done=True), "half done"),
        (KILLED[2:], at(7, "reviews"), "no run was killed"),
        ([*KILLED[:2], *events("started", "done", forwards=False)], at(6), "it was undone"),
    ],
)
def test_a_killed_run(seen, now, told):
    found = said(of(10).judge(seen, now))
    assert told in found
    assert bool(told) == bool(found)


BACK = [*events("started", "done", begin=10), *events("started", "done", forwards=False, begin=20)]


@pytest.mark.parametrize(
    ("changes", "now", "written", "told"),
    [
        ({}, at(6), 15.0, ""),
        ({}, at(7, "reviews"), 15.0, "still owns"),
        ({}, at(0), 15.0, "went further back than the switch"),
        ({}, at(6), None, 'Orchard has no review "Mine"'),
        ({}, at(6), 30.0, "behind the way back"),
        ({}, at(6), 5.0, "older than the switch"),
        ({"refuses": "monolith"}, at(6), 15.0, "the one that does not own refuses"),
        ({"ends_it": "RetireCode"}, at(6), 15.0, "comes behind one that has none"),
    ],
)
def test_a_reversal(changes, now, written, told):
    found = said(of(11).judge(answered(**REVERSED | changes), now, BACK, written))
    assert told in found
    assert bool(told) == bool(found)


LEFT = {
    "monolith/reviews/local.py": "class LocalReviews:\n    pass\n",
    "monolith/reviews/reports.py": '_ALL = """\n    SELECT 1 FROM reviews_review"""\n',
    "monolith/reviews/admin.py": (
        "from django.contrib import admin\nfrom monolith.reviews.models import Vote\nadmin.site.register(Vote)\n"
    ),
}


def test_code_that_is_left_behind(bench):
    lay(bench.home, step(12).solution(ROOT))
    for path, text in LEFT.items():
        (bench.home / path).write_text(text)
    told = said(step(12).check(bench))
    assert '"monolith/reviews/local.py" is still there' in told
    assert "monolith/reviews/reports.py:2" in told
    assert "ModelAdmin shows, and would change, rows that are tombstones" in told


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (at(9, "reviews"), ""),
        (at(7, "reviews"), "7 of 9 operations are applied: the way back is still open"),
        (at(8, "reviews"), "8 of 9 operations"),
        (at(6), "the service does not own the reviews"),
    ],
)
def test_a_plan_that_is_not_over(now, told):
    found = said(of(12).judge(now))
    assert told in found
    assert bool(told) == bool(found)


def test_what_the_last_step_changes_is_the_projects_but_for_what_goes():
    known = {line for path in tree_of(ROOT / "monolith").values() for line in lines(path)}
    made = tree_of(step(12).folder / "solution" / "monolith")
    new = [line for path in made.values() for line in lines(path) if line not in known]
    assert sorted(map(str.strip, new)) == [
        "`reviews()` gives an object with the methods of `Reviews`: "
        "they live in a service of their own (`RemoteReviews`).",
        "from monolith.reviews import views",
        "inlines = [StockInline]",
        "return _service(settings.REVIEWS_URL)",
    ]


def lines(path):
    return path.read_text(errors="replace").splitlines()


def test_nothing_but_the_plan_is_left_where_the_code_is_gone(bench):
    lay(bench.home, step(12).solution(ROOT))
    assert [finding.what for finding in step(12).check(bench)] == ["Orchard does not run"]


def order(key, at):
    return Entry(
        at=at, seconds=0.1, outcome=Outcome.ACKNOWLEDGED, what="POST order", status=302, kind="order", key=f"{key}-x"
    )


ORDERS = [order("0000000a", 1.0), order("0000000b", 9.0)]
MAILS = {"Your order 0000000A": 1, "Your order 0000000B": 1, "Welcome to Orchard": 6}


@pytest.mark.parametrize(
    ("orders", "now", "mails", "expected"),
    [
        (ORDERS, at(4, "notifications"), MAILS, ""),
        (ORDERS, at(3), MAILS, "does not own the notifications yet"),
        (ORDERS[1:], at(4, "notifications"), MAILS, "nobody had ordered before the switch"),
        (ORDERS[:1], at(4, "notifications"), MAILS, "nobody has ordered behind the switch"),
        (ORDERS, at(4, "notifications"), MAILS | {"Your order 0000000B": 0}, 'no mail "Your order 0000000B" was sent'),
        (ORDERS, at(4, "notifications"), MAILS | {"Your order 0000000A": 2}, '2 mails "Your order 0000000A" were sent'),
    ],
)
def test_each_order_is_to_be_told_of_by_one_mail(orders, now, mails, expected):
    switched = events("done", index=of(13).SWITCH, begin=5.0)
    found = said(of(13).judge(orders, switched, now, Counter(mails)))
    assert (expected in found) if expected else not found


MOVES = "Move tables " + ", ".join(f"notifications.{one}" for one in of(13)._MUST_MOVE)
COPIES = "Replicate accounts.User (id, username, email, display_name)"


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([COPIES, MOVES], ""),
        ([COPIES, MOVES.replace("notifications.Received, ", "")], "the inbox stays behind"),
        ([COPIES, MOVES.replace("notifications.Mail, ", "")], "notifications.Mail stays"),
        (["Replicate accounts.User (id, username)", MOVES], "does not know whom to write to"),
    ],
)
def test_a_plan_that_leaves_something_of_the_notifications_behind_is_told(operations, expected):
    found = said(of(13).plan(operations))
    assert (expected in found) if expected else not found
