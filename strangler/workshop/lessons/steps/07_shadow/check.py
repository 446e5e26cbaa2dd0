"""Step 7: were the differences read, mended, and seen to be gone?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx

from strangler.workshop.lessons.answers import Answers, read_answers
from strangler.workshop.lessons.bench import Bench
from strangler.workshop.lessons.finding import Finding
from strangler.workshop.lessons.orchard import Standing, standing
from strangler.workshop.lessons.record import SWITCH, Event, events

POSITION = "6"
Review = dict[str, Any]
_ANSWERS = "answers/07_shadow.toml"
_WANTED = {"place": str, "answered_by": str, "reached_clients": int}
_PAGE = "/api/reviews/"
_SELECTORS = "extracted/reviews/reviews_service/reviews/selectors.py"


def check(bench: Bench) -> list[Finding]:
    """The answers, the service as it answers now, and what the record says of the shadows."""
    answers = read_answers(bench, _ANSWERS, _WANTED)
    now = standing(bench)
    if isinstance(now, Finding):
        return [*answers.findings, *_answers(answers), now]
    pages = [_page(bench, part) for part in ("orchard", "reviews")]
    return judge(answers, pages[0], pages[1], events(bench), now)


def judge(
    answers: Answers, shop: list[Review], service: list[Review], seen: list[Event], now: Standing
) -> list[Finding]:
    """The same, decided purely. "shop" and "service" are a page of reviews as either side answers it."""
    return [*answers.findings, *_answers(answers), *_alike(shop, service), *_record(seen, now)]


def _answers(answers: Answers) -> Iterator[Finding]:
    differences = '"python manage.py rollout 0001 differences"'
    if answers.has("place"):
        place = answers.given["place"]
        if "helpful_votes" not in place:
            yield answers.wrong("place", f'"{place}" is the same on both sides', f"{differences}: the second column")
        elif not place.startswith("$."):
            yield answers.wrong("place", "that is a name, not a place", f'{differences}: places begin with "$."')
    if answers.has("answered_by") and answers.given["answered_by"] != "monolith":
        what = "a shadow's answer goes to nobody, so it was not the service"
        yield answers.wrong("answered_by", what, 'docs/operations.md, MoveRoutes: "Shadows first"')
    if answers.has("reached_clients") and answers.given["reached_clients"] != 0:
        yield answers.wrong(
            "reached_clients", "no client gets a shadow's answer", 'docs/operations.md: "Shadows first"'
        )


def _alike(shop: list[Review], service: list[Review]) -> Iterator[Finding]:
    """Whether both sides answer the same at this moment, but for what is on its way."""
    if not shop or not service:
        yield Finding(what=f"one side does not answer {_PAGE}", where=".run/orchard/processes/reviews.log")
        return
    here, there = ({review["id"]: review for review in page} for page in (shop, service))
    differing = {
        name for key in here.keys() & there.keys() for name in here[key] if here[key][name] != there[key].get(name)
    }
    for name in sorted(differing):
        what = f'the service still says another "{name}"'
        yield Finding(what=what, where=f'{_SELECTORS}, and "python -m strangler.workshop restart reviews" behind it')


def _page(bench: Bench, part: str) -> list[Review]:
    try:
        answer = httpx.get(bench.instance.url(part) + _PAGE, timeout=10, trust_env=False)
        return list(answer.json()["results"])
    except (httpx.HTTPError, ValueError, KeyError):
        return []


def _record(seen: list[Event], now: Standing) -> Iterator[Finding]:
    verdicts = [
        e.facts["outcome"]
        for e in seen
        if e.index == SWITCH and e.facts.get("step") == "verdict" and not e.facts["weight"]
    ]
    if "failed" not in verdicts:
        what = "no shadow has shown a difference yet"
        yield Finding(what=what, where='"python manage.py applyplan 0001 7", before you mend anything')
    elif verdicts[-1] != "success":
        yield Finding(
            what="the shadows were not judged alike since", where='"python manage.py applyplan 0001 7" once more'
        )
    elif now.applied <= SWITCH:
        yield Finding(
            what="the shadows are alike, and the switch has not come yet", where='"python manage.py planstatus 0001"'
        )
