"""Step 1: does Orchard run, and were its problems measured and read?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from strangler.workshop.lessons.answers import Answers, read_answers
from strangler.workshop.lessons.bench import Bench
from strangler.workshop.lessons.finding import Finding
from strangler.workshop.lessons.orchard import away

POSITION = "stopped"
_ANSWERS = "answers/01_run.toml"
_ASKED = {
    "routes_that_wait": "deployment",
    "circles": "complexity",
    "seconds_until_products": "failure",
    "tables_of_several": "ownership",
    "rows_a_search_reads": "one size",
}
_WANTED: dict[str, type] = dict.fromkeys(_ASKED, float)


def check(bench: Bench) -> list[Finding]:
    """What runs, what was measured, and whether the answers are what was measured."""
    stopped = away(bench)
    measured = _measured(bench)
    answers = read_answers(bench, _ANSWERS, _WANTED)
    if stopped is not None:
        return [stopped, *answers.findings]
    return judge(answers, measured)


def judge(answers: Answers, measured: Mapping[str, float]) -> list[Finding]:
    """The same, decided purely."""
    if not measured:
        return [
            Finding(what="nothing was measured yet", where='"python -m strangler.workshop problems"'),
            *answers.findings,
        ]
    return [*answers.findings, *_compared(answers, measured)]


def _measured(bench: Bench) -> Mapping[str, float]:
    try:
        found = json.loads((bench.instance.home / "problems.json").read_text(encoding="utf-8"))
        return {name: one["value"] for name, one in found.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _compared(answers: Answers, measured: Mapping[str, float]) -> Iterator[Finding]:
    for name, problem in _ASKED.items():
        if not answers.has(name) or problem not in measured:
            continue
        given, right = answers.given[name], measured[problem]
        where = f'the line "{problem}" of "python -m strangler.workshop problems"; .run/orchard/problems.json keeps it'
        if given == right:
            continue
        if other := next((one for one in measured if measured[one] == given), None):
            yield answers.wrong(name, f'{given:g} is the figure of "{other}"', where)
        elif given == 1000 * right:
            yield answers.wrong(name, "that is in milliseconds; seconds are asked for", where)
        else:
            yield answers.wrong(name, f"{given:g} is not what was measured last", where)
