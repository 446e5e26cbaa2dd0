"""The table of faults and promises. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from strangler.compare.faults import FILLED
from strangler.compare.promises import PROMISES
from strangler.compare.results import Results

_COLOURS = {"keeps": "good", "poorer": "warn", "slow": "warn", "partly fails": "bad", "fails": "bad"}
_WORDS = {
    "keeps": "every answer right and in time",
    "poorer": "in time, and the page says itself what is missing",
    "slow": "right, but later than promised",
    "partly fails": "some answers wrong or none",
    "fails": "all answers wrong or none",
    "-": "the arm has no such part",
}
_NONE = "<td><span class='cell'>–</span></td>"


def matrix(results: Results) -> str:
    """A row for each fault of each part, a column for each promise, in it each arm."""
    if not results.faults:
        return "<p class='soft'>Not looked at in this run.</p>"
    names = [arm["name"] for arm in results.arms]
    rows = {(row["part"], row["fault"], row["arm"]): row for row in results.faults}
    parts = list(dict.fromkeys(row["part"] for row in results.faults))
    body = "".join(_part(part, rows, names) for part in parts)
    return (
        f"{_legend()}<div class='wide'><table "
        f"class='faults'><thead>{_head(names)}</thead><tbody>{body}</tbody></table></div>"
    )


def kept(results: Results, arm: str) -> tuple[int, int]:
    """Of all faults and promises of an arm, how many are kept, or kept poorer, and how many there are."""
    words = [word for row in results.faults if row["arm"] == arm for word in row["promises"].values()]
    return sum(word in {"keeps", "poorer"} for word in words), len(words)


def _legend() -> str:
    words = "".join(
        f"<li><span class='cell {_COLOURS.get(word, '')}'>{word.replace('-', '–')}</span> {meaning}</li>"
        for word, meaning in _WORDS.items()
    )
    promises = "".join(
        f"<li><b>{escape(promise.name)}</b>: {escape(promise.words)}, within {promise.within:g} s</li>"
        for promise in PROMISES
    )
    filled = "; ".join(f"{part}: {what}" for part, what in FILLED.items())
    return (
        f"<p>What people are promised:</p><ul>{promises}</ul><p>What became of it:</p><ul>{words}</ul>"
        "<p class='soft'>Slowed: the part's processes run a tenth of the time. Killed: kill -9, and nobody starts it "
        "again. Cut off: "
        f"halted, so that connections are taken and nothing is answered. Filled: {escape(filled)}. A part that "
        f"nobody needs at the "
        "moment may fail unseen: what a page does not ask is not tried here.</p>"
    )


def _head(names: list[str]) -> str:
    promises = "".join(f"<th scope='colgroup' colspan='{len(names)}'>{escape(each.name)}</th>" for each in PROMISES)
    arms = "".join(f"<th scope='col'>{escape(name)}</th>" for name in names)
    return (
        f"<tr><th rowspan='2'></th>{promises}<th scope='colgroup' colspan='{len(names)}'>well again after</th></tr>"
        f"<tr>{arms * (len(PROMISES) + 1)}</tr>"
    )


def _part(part: str, rows: Mapping[tuple[str, str, str], Mapping[str, Any]], names: list[str]) -> str:
    faults = list(dict.fromkeys(fault for one, fault, _ in rows if one == part))
    wide = len(names) * (len(PROMISES) + 1) + 1
    lines = [f"<tr class='part'><th colspan='{wide}' scope='rowgroup'>{escape(part)}</th></tr>"]
    for fault in faults:
        found = [rows.get((part, fault, name)) for name in names]
        cells = "".join(_cell(row, promise.name) for promise in PROMISES for row in found)
        lines.append(f"<tr><th scope='row'>{escape(fault)}</th>{cells}{''.join(map(_again, found))}</tr>")
    return "".join(lines)


def _cell(row: Mapping[str, Any] | None, promise: str) -> str:
    if row is None:
        return _NONE
    word, asked, failed = row["promises"][promise], row["asked"][promise], row["failed"][promise]
    told = f"{failed} of {asked} failed" if failed else f"{asked} asked, none failed"
    return f"<td><span class='cell {_COLOURS.get(word, '')}' title='{escape(told)}'>{escape(word)}</span></td>"


def _again(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return _NONE
    if row["recovered"] is None:
        return "<td><span class='cell bad'>not by itself</span></td>"
    return f"<td>{row['recovered']:.1f} s</td>"
