"""A book as lines of JSON, which strangler.analysis.traces reads. Names alone: of code, tables, routes, servers."""

from __future__ import annotations

import json
import sys
from collections.abc import Hashable, Iterator
from datetime import datetime
from types import ModuleType
from typing import Any

from django.apps import apps

from strangler.tracing.book import Book, Entry
from strangler.tracing.sites import app_of, described, is_own_module, own_apps

VERSION = 1


def lines(book: Book, share: float, began: datetime, until: datetime) -> Iterator[str]:
    """The whole of it. What a line refers to by number stands in a line before."""
    yield _line(trace=VERSION, share=share, began=_time(began), until=_time(until), left_out=book.left_out)
    yield _line(tables=_tables(), apps=own_apps())
    numbers: dict[Hashable, int] = {}
    for (kind, name), entry in book.entries.items():
        keys = [*entry.statements, *entry.reached, *(key for keys in entry.transactions for key in keys)]
        for shape, _ in keys:
            if shape not in numbers:
                numbers[shape] = len(numbers)
                rows = {"measured": shape.measured, "bytes": shape.bytes} if shape.measured else {}
                yield _line(shape=numbers[shape], sql=shape.text, vendor=shape.vendor, **rows)
        for at in (*(at for _, at in keys), *(key[1] for key in entry.calls), *(key[1] for key in entry.tasks)):
            if ("site", at) not in numbers:
                numbers["site", at] = len(numbers)
                yield _line(site=numbers["site", at], **described(at))
        yield _line(entry=kind, name=name, module=entry.module, app=app_of(entry.module), **_entry(entry, numbers))


def _entry(entry: Entry, numbers: dict[Hashable, int]) -> dict[str, Any]:
    return {
        "units": entry.units,
        "statements": [
            [numbers[shape], numbers["site", at], *counts] for (shape, at), counts in entry.statements.items()
        ],
        "reached": sorted([numbers[shape], numbers["site", at]] for shape, at in entry.reached),
        "transactions": [
            [sorted([numbers[shape], numbers["site", at]] for shape, at in keys), times]
            for keys, times in entry.transactions.items()
        ],
        "signals": [found for key, times in entry.signals.items() if (found := _signal(*key, times))],
        "calls": [[where, numbers["site", at], within, times] for (where, at, within), times in entry.calls.items()],
        "tasks": [[name, numbers["site", at], times] for (name, at), times in entry.tasks.items()],
    }


def _signal(signal: Any, sender: Any, times: int) -> list[Any] | None:
    """[signal, sender, its app, [[receiver, its app], ...], times]; None where nobody of the project hears it."""
    receivers = [
        [f"{module}.{getattr(receiver, '__qualname__', type(receiver).__qualname__)}", app_of(module)]
        for found in signal._live_receivers(sender)  # the synchronous ones, and the others
        for receiver in found
        if is_own_module(module := str(getattr(receiver, "__module__", "")))
    ]
    if not receivers:
        return None
    label = getattr(getattr(sender, "_meta", None), "label", None)
    name = label or (f"{sender.__module__}.{sender.__qualname__}" if sender is not None else "")
    app = label.partition(".")[0] if label else app_of(sender.__module__) if sender is not None else ""
    return [_name_of(signal), name, app, receivers, times]


_signals: dict[int, str] = {}


def _name_of(signal: Any) -> str:
    """As it is called where it was made."""
    if id(signal) not in _signals:
        _signals[id(signal)] = _look_for(signal)
    return _signals[id(signal)]


def _look_for(signal: Any) -> str:
    by_name = sorted(sys.modules.items(), key=lambda named: (not named[0].endswith("signals"), len(named[0]), named[0]))
    for name, module in by_name:
        for attribute, value in list(vars(module).items()) if isinstance(module, ModuleType) else ():
            if value is signal:
                return f"{name}.{attribute}"
    return "a signal"


def _tables() -> dict[str, str]:
    """The models of all tables, as Django knows them: also those of packages, and those in between."""
    return {model._meta.db_table: model._meta.label for model in apps.get_models(include_auto_created=True)}


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _line(**values: Any) -> str:
    return json.dumps(values, separators=(",", ":")) + "\n"
