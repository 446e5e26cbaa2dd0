"""The shapes that a process has met, each once."""

from __future__ import annotations

from strangler.tracing.shapes import binds, shape

_TEXTS = 5_000
_SHAPES = 20_000
_LONG = 2_000
"""Characters from which on a text is remembered by its hash: thousands of long ones would be a leak."""


class Shape:
    """A statement without its values, with what was measured of the rows that it gave."""

    __slots__ = ("binds", "bytes", "measured", "text", "times", "vendor")

    def __init__(self, text: str, vendor: str, binds: bool) -> None:
        self.text = text
        self.vendor = vendor
        self.binds = binds
        """Whether a transaction holds it: it may write, or locks rows."""
        self.times = 0
        self.measured = 0
        """Rows whose bytes were counted."""
        self.bytes = 0


class Shapes:
    """The shapes of statements by their texts, as they come and without values."""

    def __init__(self) -> None:
        self._known: dict[tuple[str | tuple[int, int], str], Shape | None] = {}
        self._shapes: dict[tuple[str, str], Shape] = {}

    def get(self, sql: str, vendor: str) -> Shape | None:
        """The shape; None where the statement is none of interest. Texts with values in them come as ever new ones."""
        key = (sql if len(sql) < _LONG else (hash(sql), len(sql)), vendor)
        try:
            return self._known[key]
        except KeyError:
            pass
        if len(self._known) >= _TEXTS:
            self._known.clear()
        found = self._known[key] = self._made(sql, vendor)
        return found

    def _made(self, sql: str, vendor: str) -> Shape | None:
        text = shape(sql, vendor)
        if not text:
            return None
        if len(self._shapes) >= _SHAPES:
            text = text.partition(" ")[0]
        found = self._shapes.get((text, vendor))
        if found is None:
            found = self._shapes[text, vendor] = Shape(text, vendor, binds(text))
        return found
