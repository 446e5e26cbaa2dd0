"""The report: one page of HTML that stands alone, made from the results and nothing else. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from strangler.compare import page_change, page_faults, page_words
from strangler.compare.intervals import Interval
from strangler.compare.judging import Figure, figures
from strangler.compare.numbers import number, span
from strangler.compare.results import Results

_TEMPLATE = Path(__file__).with_name("page.html")
_WIDTH, _HEIGHT = 120, 14


def page(results: Results) -> str:
    """The same results give the same page."""
    names = [arm["name"] for arm in results.arms]
    # "</script>" in a string of the data must not end the element that holds it.
    raw = json.dumps(results.as_json(), ensure_ascii=True).replace("<", "\\u003c")
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        at=escape(str(results.about["at"])),
        short=_listed(map(escape, page_words.in_short(results))),
        arms="".join(f"<dt>{escape(arm['name'])}</dt><dd>{escape(arm['is'])}</dd>" for arm in results.arms),
        routes="".join(_route(results, route, names[0]) for route in results.routes),
        whole=_table(figures(results, "", names[0]), names) + page_change.disk(results),
        literature=page_words.LITERATURE,
        faults=page_faults.matrix(results),
        change=page_change.change(results),
        choose=_listed(map(escape, page_words.when_to_choose(results))),
        method=_listed(map(escape, page_words.method(results))),
        machine="".join(
            f"<dt>{escape(what)}</dt><dd>{escape(str(value))}</dd>" for what, value in results.about["machine"].items()
        ),
        again=escape(page_words.again(results)),
        raw=raw,
    )


def _route(results: Results, route: Mapping[str, Any], reference: str) -> str:
    names = [arm["name"] for arm in results.arms]
    name, most = escape(route["name"]), (f"{escape(arm)} {number(rate)}" for arm, rate in route["most"].items())
    return (
        f"<h3 id='route-{name}'>{name}</h3><p class='soft'>{escape(route['is'])} Latencies and CPU at "
        f"{number(route['rate'])} requests/s in every arm; eight busy clients got {', '.join(most)} requests/s.</p>"
        + _table(figures(results, route["name"], reference), names)
    )


def _table(rows: Iterable[list[Figure]], names: list[str]) -> str:
    head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in names)
    body = "".join(f"<tr>{''.join(_cells(row))}</tr>" for row in rows)
    return f"<div class='wide'><table><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _cells(row: list[Figure]) -> Iterator[str]:
    measure = row[0].measure
    better = "more is better" if measure.more_is_better else "less is better"
    yield (
        f"<th scope='row'>{escape(measure.words)}<small>{escape(measure.unit)}"
        f"{', ' + better if measure.judged else ', of the measurement itself'}</small></th>"
    )
    top = max(figure.found.high for figure in row) or 1
    for figure in row:
        kind = {True: "good", False: "bad", None: ""}[figure.better]
        words = f"<span class='verdict {kind}'>{escape(figure.words)}</span>" if figure.words else ""
        times = f"<small>× {span(figure.ratio)}</small>" if figure.ratio is not None and measure.judged else ""
        shown = f"<b>{number(figure.found.mean)}</b>{_bar(figure.found, top)}<small>{_ends(figure)}</small>"
        yield f"<td>{shown}{times}{words}</td>"


def _bar(found: Interval, top: float) -> str:
    """The interval as a line and its mean as a dot, on a scale from 0 that the row shares."""
    low, mean, high = (4 + (_WIDTH - 8) * value / top for value in (found.low, found.mean, found.high))
    middle = _HEIGHT / 2
    return (
        f"<svg viewBox='0 0 {_WIDTH} {_HEIGHT}' width='{_WIDTH}' height='{_HEIGHT}' aria-hidden='true'>"
        f"<line class='scale' x1='4' x2='{_WIDTH - 4}' y1='{middle}' y2='{middle}'/>"
        f"<line class='span' x1='{low:.1f}' x2='{max(high, low + 0.5):.1f}' y1='{middle}' y2='{middle}'/>"
        f"<circle cx='{mean:.1f}' cy='{middle}' r='3.2'/></svg>"
    )


def _ends(figure: Figure) -> str:
    found = figure.found
    return "one value" if found.low == found.high else f"{number(found.low)} to {number(found.high)}"


def _listed(items: Iterable[str]) -> str:
    return "".join(f"<li>{item}</li>" for item in items)
