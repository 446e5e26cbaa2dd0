"""What was observed, as JSON. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from strangler.analysis.coupling import Coupling
from strangler.analysis.observed.accesses import access
from strangler.analysis.observed.beside import Crossing
from strangler.analysis.observed.picture import Held, Picture, Touch
from strangler.analysis.observed.showing import notes
from strangler.analysis.observed.trace import Entry


def crossing_as_json(crossing: Crossing) -> dict[str, Any]:
    """All of it."""
    return {
        "transactions": [_held(held) for held in crossing.transactions],
        "asks": [
            {
                "kind": one.entry.kind,
                "name": one.entry.name,
                "statements": one.statements,
                "rows": one.rows,
                "bytes": one.bytes,
            }
            for one in crossing.asks
        ],
    }


def as_json(picture: Picture, unseen: Sequence[Coupling] | None = None) -> dict[str, Any]:
    """All of it; "unseen" where there is a map that lacks them."""
    trace = picture.trace
    return {
        "files": trace.files,
        "partial": list(notes(picture)),
        "shares": sorted(trace.shares),
        "began": min(trace.moments, default=None),
        "until": max(trace.moments, default=None),
        "entries": [
            _entry(picture, entry) for entry in sorted(trace.entries.values(), key=lambda one: (one.kind, one.name))
        ],
        "touches": [_touch(one) for one in picture.touches],
        "across": [_touch(one) for one in picture.across],
        "chatty": [_touch(one) for one in picture.chatty],
        "transactions": [_held(held) for several in picture.spanning().values() for held in several],
        "signals": [asdict(fired) | {"times": times} for fired, times in picture.signals().items()],
        **({"unseen": [asdict(one) for one in unseen]} if unseen is not None else {}),
    }


def _touch(one: Touch) -> dict[str, Any]:
    return {
        "kind": one.entry.kind,
        "name": one.entry.name,
        "app": one.app,
        "verb": one.verb,
        "model": one.label,
        "owner": one.owner,
        "path": one.site.path,
        "line": one.site.line,
        "function": one.site.function,
        "units": one.units,
        "times": one.times,
        "most": one.most,
        "rows": one.rows,
        "rows_not_told": one.unknown,
        "bytes": one.bytes,
        "statement": one.shape.text,
    }


def _held(held: Held) -> dict[str, Any]:
    return {
        "kind": held.entry.kind,
        "name": held.entry.name,
        "times": held.times,
        "written": sorted(held.written),
        "locked": sorted(held.locked),
    }


def _entry(picture: Picture, entry: Entry) -> dict[str, Any]:
    reached = {table for shape, _ in entry.reached for table in access(shape.text, shape.vendor).all}
    return {
        "kind": entry.kind,
        "name": entry.name,
        "module": entry.module,
        "app": entry.app,
        "units": entry.units,
        "reached": sorted({picture.tables.get(table, table) for table in reached}),
        "calls": [
            {"server": where, "path": site.path, "line": site.line, "within_transaction": within, "times": times}
            for (where, site, within), times in entry.calls.items()
        ],
        "tasks": [
            {"task": name, "path": site.path, "line": site.line, "times": times}
            for (name, site), times in entry.tasks.items()
        ],
    }
