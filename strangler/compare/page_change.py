"""What a change costs, and what the arms take, as tables. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from strangler.compare.numbers import number
from strangler.compare.promises import PROMISES
from strangler.compare.results import Results


def change(results: Results) -> str:
    """Time and interruptions of a release, the reach of a change, and what there is to know."""
    if not results.change:
        return "<p class='soft'>Not looked at in this run.</p>"
    deployed = [
        (
            each["arm"],
            " and ".join(each["parts"]),
            f"{each['seconds']:.1f} s",
            *(_interruption(each["interrupted"][promise.name], each["failed"][promise.name]) for promise in PROMISES),
        )
        for each in results.change["deployed"]
    ]
    reaches = [
        (each["where"], *(str(each[what]) for what in ("routes", "tasks", "tests", "tables")))
        for each in results.change["reaches"]
    ]
    parts = [
        (each["arm"], *(f"{each[what]:,}" for what in ("processes", "databases", "deployables", "lines", "all_lines")))
        for each in results.change["parts"]
    ]
    return (
        "<p>One line of the reviews' code is changed, and what runs it is stopped and started while people use the "
        "shop: how long "
        "each promise had no good answer.</p>"
        + _table(("", "started anew", "until it serves", *(promise.name for promise in PROMISES)), deployed)
        + "<p>What a change of the file that writes reviews can reach, by the toolkit's own map (<code>strangler "
        "blast</code>):</p>"
        + _table(("file", "routes", "tasks", "tests", "tables"), reaches)
        + "<p>What there is to know; lines are of Python, not blank, without tests and migrations.</p>"
        + _table(
            ("", "processes", "databases", "released apart", "lines released with the reviews", "lines in all"), parts
        )
    )


def disk(results: Results) -> str:
    """What the databases take."""
    if not results.disk:
        return ""
    rows = [(arm, str(sizes["servers"]), f"{number(sizes['databases'])} MB") for arm, sizes in results.disk.items()]
    return _table(("on the disk", "database servers", "their folders, after the load"), rows)


def _interruption(seconds: float, failed: int) -> str:
    return f"{seconds:.1f} s, {failed} failed" if failed or seconds else "none"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = "".join(f"<th scope='col'>{escape(each)}</th>" for each in head)
    body = "".join(
        f"<tr><th scope='row'>{escape(first)}</th>{''.join(f'<td>{escape(each)}</td>' for each in rest)}</tr>"
        for first, *rest in rows
    )
    return f"<div class='wide'><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
