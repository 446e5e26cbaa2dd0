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
}


def matrix(results: Results) -> str:
    """A line for each fault of each part of each arm, a column for each promise."""
    if not results.faults:
        return "<p class='soft'>Not looked at in this run.</p>"
    names = [arm["name"] for arm in results.arms]
    rows = {(row["part"], row["fault"], row["arm"]): row for row in results.faults}
    parts = list(dict.fromkeys(row["part"] for row in results.faults))
    body = "".join(_part(part, rows, names) for part in parts)
    return (
        f"{_legend()}<div class='wide'><table "
        f"class='faults'><thead>{_head()}</thead><tbody>{body}</tbody></table></div>"
    )


def kept(results: Results, arm: str) -> tuple[int, int]:
    """Of all faults and promises of an arm, how many are kept, or kept poorer, and how many there are."""
    words = [word for row in results.faults if row["arm"] == arm for word in row["promises"].values()]
    return sum(word in {"keeps", "poorer"} for word in words), len(words)


def _legend() -> str:
    words = "".join(
        f"<li><span class='cell {_COLOURS.get(word, '')}'>{word}</span> {meaning}</li>"
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


def _head() -> str:
    promises = "".join(f"<th scope='col'>{escape(each.name)}</th>" for each in PROMISES)
    return f"<tr><th></th><th></th>{promises}<th scope='col'>well again after</th></tr>"


def _part(part: str, rows: Mapping[tuple[str, str, str], Mapping[str, Any]], names: list[str]) -> str:
    """The faults of one part, each with a line for every arm that has the part."""
    lines = [f"<tr class='part'><th colspan='{len(PROMISES) + 3}' scope='rowgroup'>{escape(part)}</th></tr>"]
    for fault in dict.fromkeys(fault for one, fault, _ in rows if one == part):
        found = [(name, rows[part, fault, name]) for name in names if (part, fault, name) in rows]
        for number, (name, row) in enumerate(found):
            head = f"<th scope='row' rowspan='{len(found)}'>{escape(fault)}</th>" if number == 0 else ""
            cells = "".join(_cell(row, promise.name) for promise in PROMISES)
            lines.append(f"<tr>{head}<th scope='row'>{escape(name)}</th>{cells}{_again(row)}</tr>")
    return "".join(lines)


def _cell(row: Mapping[str, Any], promise: str) -> str:
    word, asked, failed = row["promises"][promise], row["asked"][promise], row["failed"][promise]
    told = f"{failed} of {asked} failed" if failed else f"{asked} asked, none failed"
    return f"<td><span class='cell {_COLOURS.get(word, '')}' title='{escape(told)}'>{escape(word)}</span></td>"


def _again(row: Mapping[str, Any]) -> str:
    if row["recovered"] is None:
        return "<td><span class='cell bad'>not by itself</span></td>"
    return f"<td>{row['recovered']:.1f} s</td>"
