"""Keys and usage, page by page; the fake implements the real interface."""

from dataclasses import dataclass, field

import pytest
from strangler_proxy.gateway.keys import KeyPage
from strangler_proxy.gateway.usage import UsageReport, UsageRow

from strangler.rollout.engines.base import EngineError
from strangler.rollout.keys import bring, collect


@dataclass
class Holder:
    """A proxy that knows keys by their revision alone."""

    keys: int = 0
    applied: int = 0
    overtaken: list[int] = field(default_factory=list)
    """Revisions that somebody else brings while a page is on its way."""
    used: list[UsageRow] = field(default_factory=list)

    def keys_revision(self) -> int:
        return self.keys

    def apply_keys(self, page: KeyPage) -> None:
        if self.overtaken:
            self.keys = self.overtaken.pop()
        if page.after != self.keys:
            raise EngineError(f"it has keys of revision {self.keys}")
        self.keys = page.revision
        self.applied += 1

    def usage(self) -> UsageReport:
        return UsageReport(rows=tuple(self.used[:1]))

    def collected(self, report: UsageReport) -> None:
        self.used = [row for row in self.used if row not in report.rows]


def page(revision: int) -> KeyPage | None:
    """Two keys changed at each revision; there are five."""
    return None if revision >= 5 else KeyPage(after=revision, revision=min(revision + 2, 5))


def test_a_proxy_is_brought_to_the_last_revision_page_by_page():
    for revision in (0, 4, 5):
        holder = Holder(keys=revision)
        bring(holder, page)
        assert (holder.keys, holder.applied) == (5, {0: 3, 4: 1, 5: 0}[revision])


def test_a_page_that_somebody_else_was_faster_with_is_no_error_and_one_that_does_not_fit_is():
    overtaken = Holder(overtaken=[4])
    bring(overtaken, page)
    assert overtaken.keys == 5
    with pytest.raises(EngineError, match="has keys of revision 0"):
        bring(Holder(), lambda revision: KeyPage(after=3, revision=4))


def test_usage_is_collected_report_by_report_and_told_no_more():
    rows = [UsageRow(process="a", key=f"key_{number}", day="2026-11-26", requests=1) for number in range(3)]
    holder = Holder(used=list(rows))
    kept: list[UsageRow] = []
    collect(holder, lambda report: kept.extend(report.rows))
    assert (kept, holder.used) == (rows, [])


def test_what_could_not_be_kept_is_told_again():
    holder = Holder(used=[UsageRow(process="a", key="key_1", day="2026-11-26", requests=1)])

    def refuse(report: UsageReport) -> None:
        raise EngineError("the disk is full")

    with pytest.raises(EngineError, match="the disk is full"):
        collect(holder, refuse)
    assert len(holder.used) == 1


def test_a_proxy_that_always_has_more_to_tell_is_left_after_a_while():
    class Busy(Holder):
        def collected(self, report: UsageReport) -> None:
            """It is used on."""

    kept: list[UsageReport] = []
    collect(Busy(used=[UsageRow(process="a", key="key_1", day="2026-11-26", requests=1)]), kept.append)
    assert len(kept) == 20
