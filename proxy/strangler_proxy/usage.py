"""How much developers' keys are used here: counted, remembered in a file, told until it was collected."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from strangler_proxy import metrics
from strangler_proxy.gateway.usage import UsageReport, UsageRow

LARGEST = 100_000
"""Rows that are kept; where nobody collects, the oldest go first, and are counted as lost."""
PAGE = 2_000

_Of = tuple[str, str, str]


class Usage:
    """Rows of this run, and of earlier ones that were not collected yet.

    Each run has a name of its own: after a crash the file may be behind what was collected, and a run that went on
    counting from there would hide as much.
    """

    def __init__(self, rows: tuple[UsageRow, ...] = (), clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._process = secrets.token_hex(8)
        self._rows: dict[_Of, UsageRow] = {row.of: row for row in rows}
        self._open: dict[_Of, None] = dict.fromkeys(self._rows)
        """Those with something to tell, in the order in which they came."""
        self._day = ""
        self._changed = False

    @classmethod
    def open(cls, path: Path) -> Usage:
        """With what the file remembers. Raises ValueError on a bad file."""
        if not path.exists():
            return cls()
        try:
            return cls(UsageReport.from_json(json.loads(path.read_bytes())).rows)
        except ValueError as error:
            raise ValueError(
                f'the file "{path}" holds no usage ({error}); move it away, and look what is in it'
            ) from error

    def came(self, key: str) -> None:
        """Count a request."""
        row = self._today(key)
        self._put(replace(row, requests=row.requests + 1))

    def answered(self, key: str, status: int) -> None:
        """Count its answer."""
        if status == 429 or status >= 500:
            row = self._today(key)
            refused, failed = row.refused + (status == 429), row.failed + (status >= 500)
            self._put(replace(row, refused=refused, failed=failed))

    def report(self) -> UsageReport:
        """What there is to tell, or a part of it."""
        return UsageReport(rows=tuple(self._rows[of] for of, _ in zip(self._open, range(PAGE), strict=False)))

    def collected(self, report: UsageReport) -> None:
        """Tell these rows no more, unless they have changed meanwhile."""
        for row in report.rows:
            if self._rows.get(row.of) == row:
                self._open.pop(row.of, None)
                self._changed = True
                if row.process != self._process or row.day != self._day:
                    del self._rows[row.of]

    def changed(self) -> Mapping[str, Any] | None:
        """What a later run needs; None where that is as it was."""
        if not self._changed:
            return None
        self._changed = False
        return UsageReport(rows=tuple(self._rows[of] for of in self._open)).to_json()

    def _today(self, key: str) -> UsageRow:
        day = datetime.fromtimestamp(self._clock(), UTC).date().isoformat()
        if day != self._day:
            self._day = day
            self._rows = {of: row for of, row in self._rows.items() if of in self._open}
        of = self._process, key, day
        return self._rows.get(of) or UsageRow(process=self._process, key=key, day=day, requests=0)

    def _put(self, row: UsageRow) -> None:
        self._rows[row.of] = row
        self._open[row.of] = None
        self._changed = True
        while len(self._rows) > LARGEST:
            oldest = next(iter(self._rows))
            del self._rows[oldest]
            if oldest in self._open:
                del self._open[oldest]
                metrics.USAGE_LOST.inc()
