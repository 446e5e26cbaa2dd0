"""The one page that a demo ends with."""

from __future__ import annotations

from dataclasses import dataclass

from strangler.split import Verification
from strangler.workshop.checker import Findings
from strangler.workshop.journal import Entry, Outcome


@dataclass(frozen=True, kw_only=True)
class Switch:
    """One change of owner, and how long the writes around it waited (seconds, ascending)."""

    owner: str
    pause_ms: float
    waits: list[float]


@dataclass(kw_only=True)
class Page:
    """What happened."""

    entries: list[Entry]
    findings: Findings
    looks: int
    two_owners: int
    watch_broken: str
    rows: int
    verification: Verification
    switches: list[Switch]
    status: str
    seconds: float = 0.0

    @property
    def failed(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.outcome is Outcome.FAILED]

    @property
    def refused(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.outcome is Outcome.REFUSED]

    @property
    def clean(self) -> bool:
        """Nothing failed, nothing lost or doubled, never two owners; and it was looked at, and it was switched."""
        watched = self.looks > 0 and not self.watch_broken
        happened = len(self.switches) == 3 and self.findings.acknowledged > 0
        zeros = not self.failed and not self.findings.all and not self.two_owners and self.verification.equal
        return watched and happened and zeros


def render(page: Page) -> str:
    """The page as text, 80 columns or so."""
    findings = page.findings
    lines = [
        "",
        f"Orchard's reviews, extracted live{'':20}{page.seconds:5.0f} s in all",
        "=" * 72,
        _row(
            "requests",
            f"{len(page.entries):,} made, {len(page.failed)} failed, {len(page.refused)} refused by the shop's rules",
        ),
        _row(
            "writes",
            f"{findings.acknowledged:,} acknowledged, {len(findings.lost)} lost, "
            f"{len(findings.duplicated)} duplicated, "
            f"{len(findings.resurrected) + len(findings.unexplained)} out of nothing",
        ),
        _row("two owners", f"{page.two_owners} instants, in {page.looks:,} looks"),
        _row("rows moved", f"{page.rows:,} copied"),
        _row("mismatches", f"{len(page.verification.differences)} ({page.verification})"),
        "-" * 72,
    ]
    for number, switch in enumerate(page.switches, 1):
        lines.append(
            _row(
                f"switch {number}",
                f"to the {switch.owner}: writes paused {switch.pause_ms:.1f} ms; {len(switch.waits)} writes around it "
                f"took p50 {_quantile(switch.waits, 0.5):.0f}, p99 {_quantile(switch.waits, 0.99):.0f}, longest "
                f"{_quantile(switch.waits, 1):.0f} ms",
            )
        )
    lines += ["-" * 72, *page.status.strip().splitlines(), "=" * 72]
    lines += [f"  failed: {entry.what} {entry.status} after {entry.seconds:.2f} s" for entry in page.failed[:10]]
    lines += [f"  {finding}" for finding in findings.all[:10]]
    lines += [f"  {difference}" for difference in page.verification.differences[:10]]
    if page.watch_broken:
        lines.append(f"  the owners could not be watched to the end: {page.watch_broken}")
    lines.append("The three zeros hold." if page.clean else "The three zeros do NOT hold.")
    return "\n".join(lines) + "\n"


def _row(name: str, text: str) -> str:
    return f"{name:<12} {text}"


def _quantile(ascending: list[float], share: float) -> float:
    """In milliseconds; 0 where there is nothing."""
    if not ascending:
        return 0.0
    return ascending[min(len(ascending) - 1, int(share * len(ascending)))] * 1000
