"""What is told at the steps that need a running Orchard, from records, journals and answers as they could be."""

import pytest

from strangler.workshop.lessons.answers import Answers
from strangler.workshop.lessons.orchard import Standing
from strangler.workshop.lessons.record import SWITCH, Event
from strangler.workshop.lessons.step import checks, step

SHADOWED = {"place": "$.results[].helpful_votes", "answered_by": "monolith", "reached_clients": 0}
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
