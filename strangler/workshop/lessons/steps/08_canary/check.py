"""Step 8: was the bad version seen, left to the plan to roll back, and replaced by a good one?"""

from __future__ import annotations

from collections.abc import Iterator

from strangler.workshop.lessons.answers import Answers, read_answers
from strangler.workshop.lessons.bench import Bench
from strangler.workshop.lessons.finding import Finding
from strangler.workshop.lessons.orchard import Standing, standing
from strangler.workshop.lessons.record import SWITCH, Event, events

POSITION = "6"
_ANSWERS = "answers/08_canary.toml"
_WANTED = {"rolled_back_by": str, "clients_failed": int, "column": str}
_COPIED = {"id", "name", "username"}
_LOG = ".run/orchard/processes/reviews.log"


def check(bench: Bench) -> list[Finding]:
    """The answers, and the record."""
    answers = read_answers(bench, _ANSWERS, _WANTED)
    now = standing(bench)
    if isinstance(now, Finding):
        return [*answers.findings, *_answers(answers), now]
    return judge(answers, events(bench), now)


def judge(answers: Answers, seen: list[Event], now: Standing) -> list[Finding]:
    """The same, decided purely."""
    return [*answers.findings, *_answers(answers), *_record(seen, now)]


def _answers(answers: Answers) -> Iterator[Finding]:
    if answers.has("rolled_back_by") and answers.given["rolled_back_by"] != "plan":
        where = '"verdict" in .run/orchard/record/0001_reviews/record.jsonl: who wrote it, and what came next?'
        yield answers.wrong("rolled_back_by", "nobody had to be there", where)
    if answers.has("clients_failed") and answers.given["clients_failed"] != 0:
        what = "a read that the candidate fails is answered by the owner"
        yield answers.wrong("clients_failed", what, 'the journal; docs/operations.md: "No read of a client is lost"')
    if answers.has("column") and (column := answers.given["column"].rpartition(".")[2]) != "price":
        what = f'"{column}" is copied' if column in _COPIED else "its log names another one"
        yield answers.wrong("column", what, f'"does not exist" in the last traceback in {_LOG}')


def _record(seen: list[Event], now: Standing) -> Iterator[Finding]:
    verdicts = [e for e in seen if e.index == SWITCH and e.facts.get("step") == "verdict" and e.facts["weight"]]
    failed = [e for e in verdicts if e.facts["outcome"] == "failed"]
    if not failed:
        what = "no canary has failed yet: the bad version was never let out"
        yield Finding(what=what, where='"python manage.py applyplan 0001 7", with the service as it is')
    elif verdicts[-1].facts["outcome"] != "success":
        where = f"the last traceback in {_LOG}; mend it, restart the service, and apply the plan again"
        yield Finding(what="the canary has not come back with a good version", where=where)
    elif now.owner != "reviews":
        yield Finding(what="the service does not own the reviews", where='"python manage.py planstatus 0001"')
