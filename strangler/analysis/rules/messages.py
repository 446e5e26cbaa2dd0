"""What runs elsewhere because of something here: receivers of another app's signals, and tasks of another app."""

from __future__ import annotations

from collections.abc import Iterator

from strangler.analysis.coupling import EVERY_APP, Coupling, Kind
from strangler.analysis.facts import Chain, Named, Step, Value
from strangler.analysis.project import Place, Project
from strangler.analysis.receivers import MODEL_SIGNALS, parts_of
from strangler.analysis.symbols import File, Symbol
from strangler.analysis.tasks import is_task

_ENQUEUES = frozenset({"delay", "apply_async", "s", "si", "signature", "delay_on_commit", "apply_async_on_commit"})


def find(project: Project, file: File) -> Iterator[Coupling]:
    """Receivers and senders, and calls of tasks."""
    if file.module.is_migration:
        return
    for function in file.functions.values():
        for decorator in function.decorators:
            call = decorator.steps[-1]
            if call.name == "receiver" and call.called and call.args:
                for signal in parts_of(call.args[0]):
                    yield from _received(project, Place(file, decorator.line, function.name), signal, call)
    for chain in file.facts.chains:
        call = chain.steps[-1]
        if call.name in ("connect", "send", "send_robust") and call.called and len(chain.steps) > 1:
            at = Place(file, chain.line, chain.scope)
            signal = Named(".".join(step.name for step in chain.steps[:-1]))
            if call.name == "connect":
                yield from _received(project, at, signal, call)
            else:
                yield from _of_signal(project, at, signal, f"{signal}.{call.name}()")
        yield from _tasks(project, file, chain)


def _received(project: Project, at: Place, signal: Value, call: Step) -> Iterator[Coupling]:
    name = str(signal).rpartition(".")[2] if isinstance(signal, Named) else ""
    given = call.keywords.get("sender", call.args[1] if len(call.args) > 1 else None)
    if given is None and name in MODEL_SIGNALS and _is_djangos(project, at.file, str(signal)):
        yield from project.coupling(Kind.SIGNAL, at, EVERY_APP, EVERY_APP, f"receives {name} of whatever is saved")
    for value in parts_of(given):
        if label := project.following.model_of(at.file, value):
            app = project.app_of_model(label)
            yield from project.coupling(Kind.SIGNAL, at, app, label, f"receives {name}")
    if name not in MODEL_SIGNALS:
        yield from _of_signal(project, at, signal, f"receives {name}")


def _of_signal(project: Project, at: Place, signal: Value, detail: str) -> Iterator[Coupling]:
    """A signal that the project itself defines is of the app that defines it."""
    if isinstance(signal, Named):
        symbol = project.symbols.find_in(at.file.module.name, signal)
        if signal == at.scope and signal in at.file.imports:  # a receiver that is called like its signal
            symbol = project.symbols.find(at.file.imports[signal])
        if symbol.kind == "value" and _is_signal(project, symbol):
            app = project.apps.of(symbol.module).label
            yield from project.coupling(Kind.SIGNAL, at, app, symbol.dotted, detail)


def _is_djangos(project: Project, file: File, name: str) -> bool:
    symbol = project.symbols.find_in(file.module.name, name)
    return symbol.kind == "outside" and symbol.name.startswith("django.db.models.signals.")


def _is_signal(project: Project, symbol: Symbol) -> bool:
    value = project.symbols.file_of(symbol).facts.assigned.get(symbol.name)
    return isinstance(value, list) and value[-1].called and value[-1].name.endswith("Signal")


def _tasks(project: Project, file: File, chain: Chain) -> Iterator[Coupling]:
    """task.delay(), and a task that is given to somebody who enqueues it."""
    names = [step.name for step in chain.steps]
    if names[-1] in _ENQUEUES and len(names) > 1 and not any(step.called for step in chain.steps[:-1]):
        yield from _task(project, file, chain, ".".join(names[:-1]))
    last = chain.steps[-1]
    if last.called:
        for value in (*last.args, *last.keywords.values()):
            if isinstance(value, Named):
                yield from _task(project, file, chain, value)


def _task(project: Project, file: File, chain: Chain, dotted: str) -> Iterator[Coupling]:
    symbol = project.symbols.find_in(file.module.name, dotted)
    if symbol.kind == "function" and is_task(project.symbols.file_of(symbol).functions[symbol.name]):
        app = project.apps.of(symbol.module).label
        yield from project.coupling(Kind.TASK, Place(file, chain.line, chain.scope), app, symbol.dotted)
