"""The table in docs/engines.md: how many cases of each feature each engine carries."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.conformance.run import Outcome

DOCS = Path(__file__).parents[2] / "docs/engines.md"
_BEGIN, _END = "<!-- cases -->", "<!-- end of cases -->"
_CELL = re.compile(r"\s*\|\s*")


def cell(outcomes: Sequence[Outcome]) -> str:
    """What the table says of one feature on one engine."""
    refused = sum(bool(outcome.refused) for outcome in outcomes)
    carried = len(outcomes) - refused
    return ", ".join(
        part for part in (str(carried) if carried else "", f"{refused} refused" if refused else "") if part
    )


def rendered(cells: Mapping[str, Mapping[str, str]]) -> str:
    """The table, of {engine: {feature: cell}}."""
    engines = list(cells)
    features = list(dict.fromkeys(feature for column in cells.values() for feature in column))
    rows = [["cases", *engines], ["---"] * (len(engines) + 1)]
    rows += [[feature, *(cells[engine].get(feature, "") for engine in engines)] for feature in features]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def write(cells: Mapping[str, Mapping[str, str]], path: Path = DOCS) -> None:
    """Put the table between its two marks."""
    before, _, rest = path.read_text().partition(_BEGIN)
    after = rest.partition(_END)[2]
    path.write_text(f"{before}{_BEGIN}\n{rendered(cells)}\n{_END}{after}")


def written(path: Path = DOCS) -> dict[str, dict[str, str]]:
    """What the document says: {engine: {feature: cell}}."""
    lines = path.read_text().partition(_BEGIN)[2].partition(_END)[0].strip().splitlines()
    rows = [_CELL.split(line)[1:-1] for line in lines]
    if not rows:
        return {}
    return {engine: {row[0]: row[at] for row in rows[2:]} for at, engine in enumerate(rows[0]) if at}
