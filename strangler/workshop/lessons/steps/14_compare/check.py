"""Step 14: what a comparison shows, what it does not, and a choice that stands on it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from strangler.compare.judging import Figure, figures
from strangler.compare.numbers import number
from strangler.compare.results import Results
from strangler.workshop.lessons.answers import Answers, read_answers
from strangler.workshop.lessons.bench import Bench
from strangler.workshop.lessons.finding import Finding

_ANSWERS, _FILE = "answers/14_compare.toml", "docs/comparison.json"
_WANTED = {"worse": list, "says_nothing": str, "boundary": float, "shelter": str, "choice": str, "because": str}
_WHOLE = "all"
_KEPT = {"keeps", "poorer"}
_WORDS = 15
_FIGURE = re.compile(r"\b\d[\d,.]*")
_TABLE = f'"strangler compare --again {_FILE}"'


def check(bench: Bench) -> list[Finding]:
    """The answers against the results of the comparison that is in the folder."""
    answers = read_answers(bench, _ANSWERS, _WANTED)
    try:
        results = Results.of_json(json.loads(bench.text(_FILE) or ""))
    except (ValueError, KeyError, TypeError):
        away = Finding(what=f'"{_FILE}" holds no comparison', where='"strangler workshop reset" lays it out again')
        return [*answers.findings, away]
    return judge(answers, results)


def judge(answers: Answers, results: Results) -> list[Finding]:
    """The same, decided purely."""
    return [
        *answers.findings,
        *_worse(answers, results),
        *_says_nothing(answers, results),
        *_boundary(answers, results),
        *_shelter(answers, results),
        *_choice(answers, results),
    ]


def _worse(answers: Answers, results: Results) -> Iterator[Finding]:
    if not answers.has("worse"):
        return
    light = {one.measure.words: one for one in _figures(results, "services", "monolith", "light")}
    for words in answers.given["worse"]:
        if words not in light:
            yield answers.wrong("worse", f'the light route has no "{words}"', f"the first column of {_TABLE}, no unit")
        elif light[words].better is None:
            yield answers.wrong(
                "worse", f'of "{words}" nothing is said: its interval overlaps', f"the words in {_TABLE}"
            )
        elif light[words].better:
            yield answers.wrong("worse", f'in "{words}" the services are better', f"the words in {_TABLE}")
    if missing := [
        words for words, one in light.items() if one.better is False and words not in answers.given["worse"]
    ]:
        yield answers.wrong("worse", f"{len(missing)} of them are missing", f'the word "worse" in {_TABLE}')


def _says_nothing(answers: Answers, results: Results) -> Iterator[Finding]:
    if not answers.has("says_nothing"):
        return
    given = answers.given["says_nothing"]
    route, _, words = given.partition(": ")
    routes = {_WHOLE: "", **{one["name"]: one["name"] for one in results.routes}}
    if route not in routes:
        yield answers.wrong("says_nothing", f'there is no route "{route}"', f"{', '.join(routes)}, then a colon")
        return
    found = next(
        (one for one in _figures(results, "services", "monolith", routes[route]) if one.measure.words == words), None
    )
    if found is None:
        yield answers.wrong("says_nothing", f'"{route}" has no "{words}"', f"the first column of {_TABLE}, no unit")
    elif not found.measure.judged:
        yield answers.wrong(
            "says_nothing", "it says how good the run was, and is nobody's property", "take another row"
        )
    elif found.better is not None:
        what = f"of that it is said that the services are {found.words}"
        yield answers.wrong("says_nothing", what, f"a figure without a word in {_TABLE}")


def _boundary(answers: Answers, results: Results) -> Iterator[Finding]:
    if not answers.has("boundary"):
        return
    found = _figures(results, "services", "modular", "light")
    times = next(one.ratio for one in found if one.measure.name == "cpu")
    if times is None or round(times.mean, 2) != round(answers.given["boundary"], 2):
        what = f"{answers.given['boundary']} is not what the boundary makes of it"
        yield answers.wrong("boundary", what, f'"In this run the boundary made", in {_TABLE}: the figure behind "×"')


def _shelter(answers: Answers, results: Results) -> Iterator[Finding]:
    if not answers.has("shelter"):
        return
    promise = answers.given["shelter"]
    killed = {(row["arm"], row["part"]): row["promises"] for row in results.faults if row["fault"] == "killed"}
    of_services, of_monolith = killed["services", "reviews"], killed["monolith", "orchard"]
    where = 'the table "When a part fails" of the page, the rows of killed parts'
    if promise not in of_monolith:
        yield answers.wrong("shelter", f'nothing like "{promise}" was promised', f"{', '.join(of_monolith)}")
    elif of_services[promise] not in _KEPT:
        yield answers.wrong("shelter", f'without the reviews "{promise}" {of_services[promise]}', where)
    elif of_monolith[promise] in _KEPT:
        yield answers.wrong("shelter", f'the monolith "{of_monolith[promise]}" it too', where)


def _choice(answers: Answers, results: Results) -> Iterator[Finding]:
    if not answers.has("choice"):
        return
    names, choice = [arm["name"] for arm in results.arms], answers.given["choice"]
    if choice not in names:
        yield answers.wrong("choice", f'there is no arm "{choice}"', ", ".join(names))
    elif answers.has("because"):
        because = answers.given["because"]
        said = {figure.rstrip(".,") for figure in _FIGURE.findall(because)}
        if len(because.split()) < _WORDS:
            yield answers.wrong("because", "that convinces nobody", f"{_WORDS} words or more, with a figure")
        elif not said & _said_of(results, choice):
            yield answers.wrong("because", f'it says no figure that "{choice}" has', f"its column in {_TABLE}")


def _said_of(results: Results, arm: str) -> set[str]:
    """What the table shows of it."""
    routes = ("", *(one["name"] for one in results.routes))
    return {number(one.found.mean) for route in routes for one in _figures(results, arm, "monolith", route)}


def _figures(results: Results, arm: str, against: str, route: str) -> list[Figure]:
    return [one for row in figures(results, route, against) for one in row if one.arm == arm]
