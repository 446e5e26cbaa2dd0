"""What runs because of something elsewhere: receivers, tasks and commands by name, functions that are registered."""

from __future__ import annotations

from strangler.analysis.facts import Chain, Named, Step, Value
from strangler.analysis.reach.resolving import Resolver
from strangler.analysis.reach.usage import Entry, Usage, model_deleted, model_saved
from strangler.analysis.symbols import File, Symbol
from strangler.analysis.tasks import find_tasks

_SAVED = frozenset({"pre_save", "post_save", "pre_init", "post_init"})
_DELETED = frozenset({"pre_delete", "post_delete"})
_ENQUEUES = frozenset({"send_task", "signature", "s", "si"})
_REGISTERS = frozenset({"append", "add", "setdefault", "update", "register", "insert"})


def find(usage: Usage, resolver: Resolver, file: File) -> None:
    """Receivers and senders of a file, and what it calls by name."""
    module = file.module.name
    for function in file.functions.values():
        node = f"{module}.{function.name}"
        for decorator in function.decorators:
            call = decorator.steps[-1]
            if call.name == "receiver" and call.called and call.args:
                for signal in call.args[0] if isinstance(call.args[0], tuple) else (call.args[0],):
                    _received(usage, resolver, file, node, signal=signal, call=call, line=decorator.line)
            _registered(usage, resolver, file, node, decorator)
    for chain in file.facts.chains:
        call = chain.steps[-1]
        if not call.called:
            continue
        node = resolver.scope(file, chain.scope)
        before = ".".join(step.name for step in chain.steps[:-1])
        if call.name == "connect" and before and call.args and isinstance(call.args[0], Named):
            for receiver in resolver.by_name(file, call.args[0]):
                _received(usage, resolver, file, receiver, signal=Named(before), call=call, line=chain.line)
        elif call.name in ("send", "send_robust", "asend") and before:
            usage.add(node, _signal(resolver, file, Named(before)))
        elif call.args and isinstance(call.args[0], str) and not isinstance(call.args[0], Named):
            if call.name in _ENQUEUES:
                usage.add(node, resolver.tasks.get(call.args[0], ""))
            elif call.name == "call_command":
                usage.add(node, *resolver.commands.get(call.args[0], ()))


def entries(usage: Usage, resolver: Resolver) -> None:
    """Tasks and commands of the whole project."""
    for name, dotted in find_tasks(resolver.project.symbols):
        path, line = usage.places[dotted]
        usage.enter(Entry(kind="task", name=name, node=f"task {name}", starts=dotted, path=path, line=line))
    for name, nodes in resolver.commands.items():
        for node in nodes:
            path, line = usage.places[node]
            command = Entry(kind="command", name=name, node=f"command {node}", starts=node, path=path, line=line)
            usage.enter(command, f"{node}.handle", f"{node}.add_arguments")


def _received(usage: Usage, resolver: Resolver, file: File, node: str, *, signal: Value, call: Step, line: int) -> None:
    if not isinstance(signal, Named):
        return
    name, project = signal.rpartition(".")[2], resolver.project
    sender = call.keywords.get("sender")
    labels = [
        label
        for part in (sender if isinstance(sender, tuple) else (sender,))
        if part is not None and (label := project.following.model_of(file, part))
    ]
    of = " of " + ", ".join(labels) if labels else ""
    receiver = Entry(
        kind="receiver",
        name=f"{name}{of}",
        node=f"receiver {node} {name}{of}",
        starts=node,
        path=file.module.path,
        line=line,
    )
    usage.enter(receiver)
    if name in _SAVED | _DELETED:
        happens = model_saved if name in _SAVED else model_deleted
        for label in labels or ([model.label for model in project.registry.real()] if sender is None else []):
            usage.add(happens(label), node)
    else:
        usage.add(_signal(resolver, file, signal), node)


def _signal(resolver: Resolver, file: File, signal: Named) -> str:
    """The node of a signal that the project itself defines; empty for any other."""
    symbol = resolver.project.symbols.find_in(file.module.name, signal)
    return f"signal {symbol.dotted}" if symbol.kind == "value" else ""


def _registered(usage: Usage, resolver: Resolver, file: File, node: str, decorator: Chain) -> None:
    """A function that a decorator of the project's keeps in a module's dictionary or list: who reads it calls it."""
    names = ".".join(step.name for step in decorator.steps)
    symbol = resolver.project.symbols.find_in(file.module.name, names)
    if symbol.kind == "function":
        for kept in _keeps(resolver, symbol):
            usage.perhaps.setdefault(kept, set()).add(node)


def _keeps(resolver: Resolver, symbol: Symbol) -> frozenset[str]:
    """The values of its module in which a function, or one within it, keeps something."""
    assigned = resolver.project.symbols.file_of(symbol).facts.assigned
    return frozenset(
        f"{symbol.module}.{first}"
        for chain in resolver.project.calls.chains(symbol)
        if (first := chain.steps[0].name) in assigned
        if chain.stored or chain.steps[-1].name in _REGISTERS
    )
