"""What happened, as one line."""

from strangler.dashboard.timeline import happenings
from strangler.plans.history import history
from tests.unit.strangler.dashboard.conftest import BACK, record


def test_the_newest_comes_first_and_says_who_began_what():
    runs = history(record(*BACK))
    found = happenings({"0001_reviews": runs})
    assert [one.kind for one in found[:3]] == ["began", "failed", "step"]
    assert (found[0].what, found[0].who) == ("Undo: Move routes /api/reviews/, /api/votes/", "ada <admin>")
    assert found[1].what == "<script>alert(1)</script>"
    assert found[2].what == "asked: wish pause, by grace"
    assert [one.at for one in found] == sorted((one.at for one in found), reverse=True)


def test_only_the_last_of_all_plans_are_kept():
    runs = history(record(*BACK))
    found = happenings({"0001_reviews": runs, "0002_other": runs}, last=3)
    assert [(one.plan, one.kind) for one in found] == [
        ("0002_other", "began"),
        ("0001_reviews", "began"),
        ("0002_other", "failed"),
    ]
