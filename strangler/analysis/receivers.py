"""Functions that run because rows are saved or deleted: receivers of Django's own signals, and models' own save()."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from strangler.analysis.facts import Named, Step, Value
from strangler.analysis.following import Following
from strangler.analysis.symbols import File, Symbol, Symbols

MODEL_SIGNALS = frozenset(
    {"pre_save", "post_save", "pre_delete", "post_delete", "m2m_changed", "pre_init", "post_init", "class_prepared"}
)
_SAVES = frozenset({"save", "delete", "asave", "adelete", "save_base"})


@dataclass(frozen=True, kw_only=True)
class Received:
    """A signal of Django's that a function receives, with the models that it is about: none are all."""

    signal: str
    senders: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """What makes a function run: "why" of rows of this model."""

    model: str
    why: str


def find_receivers(symbols: Symbols, following: Following) -> dict[Symbol, list[Received]]:
    """By their functions, whether they are decorated or connected."""
    found: dict[Symbol, list[Received]] = {}
    for name, file in symbols.files.items():
        for symbol, signals, call in _connected(symbols, name, file):
            for signal, senders in _about(following, file, signals, call):
                found.setdefault(symbol, []).append(Received(signal=signal, senders=senders))
    return found


def occasions(receivers: dict[Symbol, list[Received]], following: Following, file: File, scope: str) -> list[Occasion]:
    """Why what stands in a scope runs by itself; nothing where somebody calls it."""
    parts = scope.split(".")
    for length in range(1, len(parts) + 1):
        name = ".".join(parts[:length])
        if name not in file.functions:
            continue
        if (received := receivers.get(Symbol(file.module.name, name, "function"))) is not None:
            return [Occasion(model=sender, why=one.signal) for one in received for sender in one.senders]
        model = following.registry.of(Symbol(file.module.name, ".".join(parts[: length - 1]), "class"))
        if model is not None and parts[length - 1] in _SAVES and not model.abstract:
            return [Occasion(model=model.label, why=f"{parts[length - 1]}()")]
    return []


def parts_of(value: Value) -> Iterator[Value]:
    """Each of several values, or the one."""
    if isinstance(value, tuple):
        yield from value
    elif value is not None:
        yield value


def _connected(symbols: Symbols, module: str, file: File) -> Iterator[tuple[Symbol, Value, Step]]:
    """(the function, its signals, the call that connects them)."""
    for function in file.functions.values():
        for decorator in function.decorators:
            call = decorator.steps[-1]
            if call.name == "receiver" and call.called and call.args:
                yield Symbol(module, function.name, "function"), call.args[0], call
    for chain in file.facts.chains:
        call = chain.steps[-1]
        if call.name == "connect" and call.called and call.args and isinstance(call.args[0], Named):
            symbol = symbols.find_in(module, call.args[0])
            if symbol.kind == "function":
                yield symbol, Named(".".join(step.name for step in chain.steps[:-1])), call


def _about(following: Following, file: File, signals: Value, call: Step) -> Iterator[tuple[str, tuple[str, ...]]]:
    given = call.keywords.get("sender", call.args[1] if len(call.args) > 1 else None)
    senders = tuple(following.model_of(file, value) for value in parts_of(given))
    if given is not None and not all(senders):
        return  # it is about somebody, but nobody can tell about whom
    for signal in parts_of(signals):
        name = signal.rpartition(".")[2] if isinstance(signal, Named) else ""
        if name in MODEL_SIGNALS:
            yield name, senders
