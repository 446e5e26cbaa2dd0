"""A comparison in a terminal. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import fill

from strangler.compare.judging import Figure, figures
from strangler.compare.numbers import span
from strangler.compare.page_words import in_short, when_to_choose
from strangler.compare.results import Results

_WIDE = 46
_COLUMN = 30
_LINE = 130


def text(results: Results) -> str:
    """The figures with their intervals, and what may be said of them."""
    return "\n".join(_lines(results)) + "\n"


def _lines(results: Results) -> Iterator[str]:
    names = [arm["name"] for arm in results.arms]
    about = results.about
    yield (
        f"{about['size']['repetitions']} repetitions in random order, seed {about['seed']}, {about['minutes']} "
        f"minutes; "
        f"means and 99% intervals"
    )
    yield f"  {about['shared']}"
    for arm in results.arms:
        yield f"  {arm['name']}: {arm['is']}"
    for route in (*results.routes, {"name": "", "is": "each arm as a whole"}):
        yield ""
        yield f"{route['name'] or 'all'}: {route['is']}"
        yield " " * _WIDE + "".join(f"{name:<{_COLUMN}}" for name in names)
        for row in figures(results, route["name"], names[0]):
            measure = row[0].measure
            what = f"  {measure.words}, {measure.unit}"
            yield f"{what:<{_WIDE}}" + "".join(f"{_cell(figure):<{_COLUMN}}" for figure in row).rstrip()

    for title, sentences in (("In short", in_short(results)), ("Which one to choose", when_to_choose(results))):
        yield from ("", title)
        for sentence in sentences:
            yield fill(sentence, _LINE, initial_indent="  - ", subsequent_indent="    ")


def _cell(figure: Figure) -> str:
    sign = {True: " better", False: " worse", None: ""}[figure.better]
    return f"{span(figure.found)}{sign}"
