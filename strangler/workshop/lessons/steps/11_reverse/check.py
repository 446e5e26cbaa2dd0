"""Step 11: is Orchard the owner again, with what was written at the service?"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg

from strangler.workshop.lessons.answers import Answers, read_answers
from strangler.workshop.lessons.bench import Bench
from strangler.workshop.lessons.finding import Finding
from strangler.workshop.lessons.orchard import Standing, standing
from strangler.workshop.lessons.record import SWITCH, Event, events

POSITION = "7"
_ANSWERS = "answers/11_reverse.toml"
_WANTED = {"title": str, "refuses": str, "ends_it": str}
_WRITTEN = "SELECT extract(epoch FROM created_at)::float FROM reviews_review WHERE title = %s ORDER BY id DESC LIMIT 1"


def check(bench: Bench) -> list[Finding]:
    """The answers, who owns, and where the review is that was written at the service."""
    answers = read_answers(bench, _ANSWERS, _WANTED)
    now = standing(bench)
    if isinstance(now, Finding):
        return [*answers.findings, *_answers(answers), now]
    written = _written(bench, answers.given["title"]) if answers.has("title") else None
    return judge(answers, now, events(bench), written)


def judge(answers: Answers, now: Standing, seen: list[Event], written: float | None) -> list[Finding]:
    """The same, decided purely. "written" is when the review of that title was written, if Orchard has it."""
    kept = _kept(answers, seen, written) if now.owner == "monolith" else ()
    return [*answers.findings, *_answers(answers), *_back(now), *kept]


def _answers(answers: Answers) -> Iterator[Finding]:
    if answers.has("refuses") and answers.given["refuses"] != "reviews":
        what = "the one that does not own refuses, and Orchard owns again"
        yield answers.wrong("refuses", what, "docs/protocol.md: the fence")
    if answers.has("ends_it") and answers.given["ends_it"].partition("(")[0] != "RetireTables":
        what = f'"{answers.given["ends_it"]}" has a way back, or comes behind one that has none'
        yield answers.wrong("ends_it", what, '"(final)" in "python manage.py showplans 0001", the first')


def _back(now: Standing) -> Iterator[Finding]:
    if now.owner != "monolith":
        yield Finding(what="the service still owns the reviews", where='"python manage.py applyplan 0001 6"')
    elif now.applied < SWITCH:
        what = "that went further back than the switch: the service's copies are gone as well"
        yield Finding(
            what=what, where='"strangler workshop reset", and "applyplan 0001 6": the copies are the way forward'
        )


def _kept(answers: Answers, seen: list[Event], written: float | None) -> Iterator[Finding]:
    back = [event.at for event in seen if event.index == SWITCH and not event.forwards]
    if not answers.has("title") or not back:
        return
    forth = [event.at for event in seen if event.index == SWITCH and event.forwards and event.at < back[0]]
    if written is None:
        what = f'Orchard has no review "{answers.given["title"]}"'
        where = "the title that you gave it, to the letter; was it written through the proxy?"
        yield answers.wrong("title", what, where)
    elif written > back[-1]:
        yield answers.wrong("title", "that was written at Orchard, behind the way back", "write while the service owns")
    elif written < forth[-1]:
        yield answers.wrong("title", "that is older than the switch", "write one while the service owns")


def _written(bench: Bench, title: str) -> float | None:
    with psycopg.connect(bench.instance.environment()["STRANGLER_SOURCE_DSN"]) as connection:
        row = connection.execute(_WRITTEN, (title,)).fetchone()
    return row[0] if row else None
