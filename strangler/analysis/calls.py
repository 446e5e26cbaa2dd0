"""Who calls whom, as far as names tell: what a function asks of models, itself and through what it calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from strangler.analysis.facts import Chain
from strangler.analysis.following import Following
from strangler.analysis.symbols import File, Symbol, Symbols
from strangler.analysis.typed import Use

DEEPEST = 3
"""Calls from a function on that are followed: beyond, too much is reached by too little."""


@dataclass(frozen=True)
class Asked:
    """Something that is asked of a model, with the file where."""

    file: File
    use: Use


@dataclass(kw_only=True)
class Calls:
    """The calls of a project. Remembers what it found."""

    symbols: Symbols
    following: Following
    _chains: dict[str, dict[str, list[Chain]]] = field(default_factory=dict)
    _asked: dict[Symbol, Sequence[Asked]] = field(default_factory=dict)
    _reached: dict[Symbol, Sequence[Symbol]] = field(default_factory=dict)

    def reached(self, symbol: Symbol) -> Sequence[Symbol]:
        """A function, or all methods of a class, and what that calls, and what those call."""
        if symbol not in self._reached:
            found, level = {symbol: None}, [symbol]
            for _ in range(DEEPEST):
                level = [called for one in level for called in self._of(one) if called not in found]
                found |= dict.fromkeys(level)
            self._reached[symbol] = list(found)
        return self._reached[symbol]

    def asked(self, symbol: Symbol) -> Sequence[Asked]:
        """What the function itself asks of models."""
        if symbol not in self._asked:
            file = self.symbols.file_of(symbol)
            chains = self.chains(symbol)
            self._asked[symbol] = [Asked(file, use) for chain in chains for use in self.following.uses(file, chain)]
        return self._asked[symbol]

    def chains(self, symbol: Symbol) -> Sequence[Chain]:
        """Those within a function or class."""
        if symbol.module not in self._chains:
            within: dict[str, list[Chain]] = {}
            for chain in self.symbols.file_of(symbol).facts.chains:
                parts = chain.scope.split(".")
                for length in range(1, len(parts) + 1):
                    within.setdefault(".".join(parts[:length]), []).append(chain)
            self._chains[symbol.module] = within
        return self._chains[symbol.module].get(symbol.name, [])

    def called(self, file: File, chain: Chain) -> Iterator[Symbol]:
        """The function that a chain calls by a name of the module's, or the method of the same object."""
        names: list[str] = []
        for step in chain.steps:
            names.append(step.name)
            if step.called:
                break
        else:
            return
        if names[0] in ("self", "cls") and len(names) == 2:
            names[0] = chain.scope.partition(".")[0]
        symbol = self.symbols.find_in(file.module.name, ".".join(names))
        if symbol.kind == "function":
            yield symbol

    def _of(self, symbol: Symbol) -> Iterator[Symbol]:
        file = self.symbols.file_of(symbol)
        for chain in self.chains(symbol):
            yield from self.called(file, chain)
