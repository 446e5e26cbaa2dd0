"""Step 3: a seam, what it costs, and why this one. Any seam may be chosen, if what is said of it is so."""

from __future__ import annotations

import re
from collections.abc import Iterator

from strangler.analysis.graph import Graph
from strangler.analysis.seams import Seam, find_seams
from strangler.workshop.lessons.answers import Answers, read_answers
from strangler.workshop.lessons.bench import Bench
from strangler.workshop.lessons.finding import Finding
from strangler.workshop.lessons.mapping import SHOP, graph

_ANSWERS = "answers/03_seam.toml"
_WANTED = {"seam": str, "keys": int, "copies": list, "first": str, "instead": str, "because": str}
_WORDS = 15
_FIGURE = re.compile(r"\b\d[\d,.]*")


def check(bench: Bench) -> list[Finding]:
    """The chosen seam against all that there are, and what is said of it against what it has."""
    answers = read_answers(bench, _ANSWERS, _WANTED)
    found = graph(bench)
    return [*answers.findings, *_seam(answers, found), *_defence(answers, find_seams(found))]


def _seam(answers: Answers, found: Graph) -> Iterator[Finding]:
    if not answers.has("seam"):
        return
    seams = find_seams(found)
    name = answers.given["seam"]
    one = next((seam for seam in seams if seam.name == name), None)
    if one is None:
        yield answers.wrong("seam", f'there is no seam "{name}"', f'"strangler propose {SHOP}" lists them')
        return
    details = f'"strangler propose {SHOP} --seam {name}"'
    yield from _figures(answers, one, details)


def _figures(answers: Answers, one: Seam, details: str) -> Iterator[Finding]:
    if answers.has("keys") and answers.given["keys"] != one.keys:
        yield answers.wrong(
            "keys", f'"{one.name}" has not {answers.given["keys"]} keys over its border', 'the column "keys", not "cut"'
        )
    if answers.has("copies"):
        given, tables = set(answers.given["copies"]), set(one.replicated)
        if own := sorted(given & set(one.models)):
            yield answers.wrong("copies", f"{own[0]} is its own: it moves", details)
        elif more := sorted(given - tables):
            yield answers.wrong("copies", f"{more[0]} is not read by it", details)
        elif less := sorted(tables - given):
            yield answers.wrong("copies", f"{len(less)} of the tables that it reads are missing", details)
    if answers.has("first"):
        given_first = answers.given["first"].removeprefix(f"{SHOP}/")
        if given_first not in {f"{coupling.path}:{coupling.line}" for coupling in one.first}:
            what = f'"{given_first}" is not what has to change first'
            yield answers.wrong("first", what, f'{details}, below "to change first"; write it as path:line')


def _defence(answers: Answers, seams: list[Seam]) -> Iterator[Finding]:
    if answers.has("seam", "instead"):
        instead = answers.given["instead"]
        if instead == answers.given["seam"]:
            yield answers.wrong("instead", "that is the seam that you chose", "name one that you decided against")
        elif instead not in {seam.name for seam in seams}:
            yield answers.wrong("instead", f'there is no seam "{instead}"', f'"strangler propose {SHOP}" lists them')
    if answers.has("seam", "instead", "because"):
        yield from _because(answers, seams)


def _because(answers: Answers, seams: list[Seam]) -> Iterator[Finding]:
    """A defence compares: it says a figure that the one has, and one that the other has."""
    because, table = answers.given["because"], f'the table of "strangler propose {SHOP}"'
    if len(because.split()) < _WORDS:
        yield answers.wrong("because", "that convinces nobody", f"{_WORDS} words or more, with figures of both")
        return
    said = {figure.rstrip(".,").replace(",", "") for figure in _FIGURE.findall(because)}
    for name in (answers.given["seam"], answers.given["instead"]):
        one = next((seam for seam in seams if seam.name == name), None)
        if one is not None and not said & _figures_of(one):
            yield answers.wrong("because", f'it says no figure that "{name}" has', f"its line in {table}")


def _figures_of(one: Seam) -> set[str]:
    """What the table shows of it."""
    counts = (one.cut, one.inner, one.lines, one.routes, one.keys, len(one.models), len(one.several_writers))
    return {*map(str, (*counts, len(one.transactions), len(one.replicated))), f"{100 * one.openness:.0f}"}
