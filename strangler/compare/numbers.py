"""Figures in words. Pure."""

from __future__ import annotations

from strangler.compare.intervals import Interval


def number(value: float) -> str:
    """With three figures or so."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def span(found: Interval) -> str:
    """A mean and its interval; of one repetition, that alone."""
    if found.low == found.high:
        return number(found.mean)
    return f"{number(found.mean)} ({number(found.low)}–{number(found.high)})"
