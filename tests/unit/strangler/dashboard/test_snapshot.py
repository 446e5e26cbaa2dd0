"""The value itself: its sentences, and as JSON."""

import json
from dataclasses import replace

from strangler.dashboard.snapshot import age, headline
from strangler.split import Side
from tests.unit.strangler.dashboard.conftest import CANARY, moved, record, routing, view


def test_the_headline_answers_the_three_questions(canary, planned):
    assert headline(canary.plans[0]) == ("0001_reviews: monolith owns, 10% of the reads go to reviews, one can go back")
    assert headline(planned.plans[0]) == "0001_reviews: monolith owns, monolith answers all reads, nothing is done yet"


def test_the_headline_of_a_service_that_owns_tells_whether_its_gates_let_one_back():
    owned = moved(routing(Side.TARGET, term=2, weight=0, shadow=0, early=False))
    lagging = view(record(*CANARY), owned)
    assert headline(lagging) == "0001_reviews: reviews owns, reviews answers all reads, one cannot go back now"
    well = view(record(*CANARY), replace(owned, refusals=()))
    assert headline(well) == "0001_reviews: reviews owns, reviews answers all reads, one can go back"


def test_the_headline_without_an_answer_claims_nothing(canary):
    assert headline(replace(canary.plans[0], status=None)) == (
        "0001_reviews: nobody can say now who serves and who owns"
    )


def test_json_has_everything_but_the_runs_of_the_records(canary):
    given = json.loads(canary.to_json())
    (plan,) = given["plans"]
    assert "runs" not in plan
    assert plan["status"]["owner"] == "monolith"
    assert plan["routes"][0]["reads_to_other"] == 10
    assert plan["shadows"]["seen"]["differing"][0]["samples"][0]["owner"] == "<4>"
    assert [action["name"] for action in plan["actions"]] == ["resume", "promote", "abort"]
    assert given["happenings"][0]["what"] == "asked: wish pause, by grace"
    assert given["traces"][0]["components"] == ["proxy", "orchard", "worker"]


def test_ages_are_told_between_any_two_zones():
    assert age("2026-01-01T00:01:00+00:00", "2025-12-31 23:57:00+00:00") == 240
    assert age("2026-01-01T00:01:00+00:00", "2026-01-01T02:00:30+02:00") == 30
    assert age("2026-01-01T00:00:00+00:00", "2026-01-01T00:00:05+00:00") == 0
