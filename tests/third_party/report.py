"""The generated part of docs/third-party.md: the figures that are kept, and the shares that were judged right. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from strangler.analysis.coupling import Kind
from tests.third_party import samples
from tests.third_party.figures import Figures

DOCS = Path(__file__).parents[2] / "docs/third-party.md"
_BEGIN, _END = "<!-- figures -->", "<!-- end of figures -->"


def rendered(all_: Mapping[str, Figures]) -> str:
    """Three tables: size and cost, couplings by kind, seams."""
    return "\n".join([*_sizes(all_), "", *_kinds(all_), "", *_seams(all_)])


def replaced(text: str, tables: str) -> str:
    """The document with these tables between its marks."""
    before, _, rest = text.partition(_BEGIN)
    return f"{before}{_BEGIN}\n{tables}\n{_END}{rest.partition(_END)[2]}"


def _sizes(all_: Mapping[str, Figures]) -> Iterator[str]:
    head = (
        "",
        "lines",
        "files",
        "apps",
        "models",
        "processor s",
        "peak MB",
        "between apps",
        "within",
        "right",
        "found",
    )
    yield from _rows(
        head,
        (
            (
                name,
                f"{one.lines:,}",
                f"{one.files:,}",
                str(one.apps),
                str(one.models),
                f"{one.seconds:.1f}",
                str(one.megabytes),
                f"{sum(one.couplings.values()):,}",
                f"{one.inner:,}",
                _share(name, samples.DRAWN),
                _share(name, samples.READ),
            )
            for name, one in all_.items()
        ),
    )


def _share(name: str, sort: str) -> str:
    judgements = samples.judged(name, sort)
    if not judgements:
        return "not judged"
    good, of = samples.share(judgements)
    return f"{good} of {of}"


def _kinds(all_: Mapping[str, Figures]) -> Iterator[str]:
    kinds = [kind.value for kind in Kind if any(kind.value in one.couplings for one in all_.values())]
    yield from _rows(
        ("between apps", *all_),
        ((kind, *(f"{one.couplings.get(kind, 0):,}" for one in all_.values())) for kind in kinds),
    )


def _seams(all_: Mapping[str, Figures]) -> Iterator[str]:
    yield from _rows(
        ("", "verdict", "least open"), ((name, one.verdict, "; ".join(one.seams)) for name, one in all_.items())
    )


def _rows(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    for row in (head, ("---",) * len(head), *rows):
        yield f"| {' | '.join(row)} |"
