"""What a dotted name stands for, over all modules, through imports and other names for the same thing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from strangler.analysis.facts import Class, Facts, Function, Named, Value
from strangler.analysis.placing import Module

_DEEPEST = 20


@dataclass(frozen=True)
class Symbol:
    """Something that a name stands for. "name" is within the module; what is outside the project has nothing else."""

    module: str
    name: str
    kind: str
    """ "module", "class", "function", "value", or "outside"."""

    @property
    def dotted(self) -> str:
        return f"{self.module}.{self.name}" if self.module and self.name else self.module or self.name


@dataclass(frozen=True, kw_only=True)
class File:
    """A module with its facts, and its definitions by name."""

    module: Module
    facts: Facts
    classes: Mapping[str, Class]
    functions: Mapping[str, Function]
    imports: Mapping[str, str]
    stars: tuple[str, ...]

    @classmethod
    def of(cls, module: Module, facts: Facts) -> File:
        return cls(
            module=module,
            facts=facts,
            classes={found.name: found for found in facts.classes},
            functions={found.name: found for found in facts.functions},
            # Of two imports of one name the first counts: the second stands in an "except ImportError", mostly.
            imports={found.name: found.target for found in reversed(facts.imports) if found.name not in ("*", "")},
            stars=tuple(found.target for found in facts.imports if found.name == "*"),
        )


@dataclass(kw_only=True)
class Symbols:
    """All files by the names of their modules."""

    files: Mapping[str, File]
    placed: Mapping[str, str] = field(default_factory=dict)
    """Other names of modules, after their place in the tree."""
    _found: dict[tuple[str, str], Symbol] = field(default_factory=dict)
    _by_last: dict[str, list[File]] | None = None

    @classmethod
    def of(cls, files: Iterator[File] | list[File]) -> Symbols:
        files = list(files)
        return cls(
            files={file.module.name: file for file in files},
            placed=dict(_endings(files))
            | {file.module.placed: file.module.name for file in files if file.module.placed != file.module.name},
        )

    def module(self, name: str) -> File | None:
        """The file of a module, by either of its names."""
        return self.files.get(name) or self.files.get(self.placed.get(name, ""))

    def ending(self, name: str) -> File | None:
        """The one module whose name ends so: what loads classes by itself often leaves the first packages out."""
        if self._by_last is None:
            self._by_last = {}
            for module, file in self.files.items():
                if not file.module.is_test:
                    self._by_last.setdefault(module.rpartition(".")[2], []).append(file)
        last = name.rpartition(".")[2]
        found = [file for file in self._by_last.get(last, ()) if file.module.name.endswith(f".{name}")]
        return found[0] if len(found) == 1 else None

    def find(self, dotted: str) -> Symbol:
        """What an absolute name stands for."""
        return self._absolute(dotted, 0)

    def find_in(self, module: str, dotted: str) -> Symbol:
        """What a name stands for within a module."""
        key = (module, dotted)
        if key not in self._found:
            self._found[key] = Symbol(
                "", dotted, "outside"
            )  # for whoever asks on the way: a name that stands for itself
            self._found[key] = self._relative(module, dotted, 0)
        return self._found[key]

    def named(self, text: str) -> Symbol | None:
        """What a text names by its whole dotted name: a class, a function, or a value of a module."""
        module = text.rpartition(".")[0]
        if "." not in module or self.module(module) is None:
            return None
        found = self.find(text)
        is_there = found.kind in ("class", "function") or (
            found.kind == "value" and found.name in self.files[found.module].facts.assigned
        )
        return found if is_there else None

    def loaded(self, value: Value) -> Symbol | None:
        """What a value loads by a name, as get_class("orders.views", "OrderView") does; None where it loads nothing."""
        dotted = loaded_name(value)
        return self._loaded(dotted, 0) if dotted is not None else None

    def file_of(self, symbol: Symbol) -> File:
        """The file of something in the project."""
        return self.files[symbol.module]

    def class_of(self, symbol: Symbol) -> Class:
        """The facts of a class."""
        return self.files[symbol.module].classes[symbol.name]

    def bases(self, symbol: Symbol) -> list[Symbol]:
        """The bases of a class, as they stand."""
        return [self.find_in(symbol.module, base) for base in self.class_of(symbol).bases]

    def ancestors(self, symbol: Symbol) -> list[Symbol]:
        """The class, its bases and theirs, depth first, each once; those outside the project as well."""
        found: dict[Symbol, None] = {}
        self._collect(symbol, found)
        return list(found)

    def _collect(self, symbol: Symbol, found: dict[Symbol, None]) -> None:
        if symbol in found:
            return
        found[symbol] = None
        if symbol.kind == "class":
            for base in self.bases(symbol):
                self._collect(base, found)

    def _absolute(self, dotted: str, depth: int) -> Symbol:
        parts = dotted.split(".")
        for length in range(len(parts), 0, -1):
            file = self.module(".".join(parts[:length]))
            if file is not None:
                rest = ".".join(parts[length:])
                return self._relative(file.module.name, rest, depth) if rest else _module(file)
        return Symbol("", dotted, "outside")

    def _relative(self, module: str, dotted: str, depth: int) -> Symbol:
        if depth > _DEEPEST:
            return Symbol("", dotted, "outside")
        file = self.files[module]
        if dotted in file.classes or dotted in file.functions:
            return Symbol(module, dotted, "class" if dotted in file.classes else "function")
        first, _, rest = dotted.partition(".")
        if first in file.facts.assigned:
            return self._assigned(file, first, rest, depth)
        target = file.imports.get(first, "")
        if target and (target != f"{module}.{first}" or self.module(target)):
            return self._absolute(f"{target}.{rest}" if rest else target, depth + 1)
        if first in file.classes:
            return self._member(Symbol(module, first, "class"), rest)
        return self._below(file, first, rest, depth)

    def _below(self, file: File, first: str, rest: str, depth: int) -> Symbol:
        """A submodule, or what a star brings."""
        if (submodule := self.module(f"{file.module.name}.{first}")) is not None:
            return self._relative(submodule.module.name, rest, depth + 1) if rest else _module(submodule)
        return self._starred(file, f"{first}.{rest}" if rest else first, depth)

    def _starred(self, file: File, dotted: str, depth: int) -> Symbol:
        for star in file.stars:
            starred = self.module(star)
            if starred is not None and starred is not file:
                found = self._relative(starred.module.name, dotted, depth + 1)
                if found.kind != "outside":
                    return found
        return Symbol("", dotted, "outside")

    def _member(self, owner: Symbol, name: str) -> Symbol:
        """Something in a class or one of its bases: a method, an inner class."""
        for symbol in self.ancestors(owner):
            if symbol.kind == "class":
                file = self.files[symbol.module]
                full = f"{symbol.name}.{name}"
                if full in file.functions:
                    return Symbol(symbol.module, full, "function")
                if full in file.classes:
                    return Symbol(symbol.module, full, "class")
        return Symbol(owner.module, f"{owner.name}.{name}", "value")

    def _assigned(self, file: File, name: str, rest: str, depth: int) -> Symbol:
        value = file.facts.assigned[name]
        if isinstance(value, Named) and value != name:
            return self._relative(file.module.name, f"{value}.{rest}" if rest else str(value), depth + 1)
        if (dotted := loaded_name(value)) is not None and not rest:
            found = self._loaded(dotted, depth)
            if found.kind != "outside":
                return found
        return Symbol(file.module.name, f"{name}.{rest}" if rest else name, "value")

    def _loaded(self, dotted: str, depth: int) -> Symbol:
        found = self._absolute(dotted, depth + 1)
        module, _, name = dotted.rpartition(".")
        if found.kind == "outside" and (file := self.ending(module)) is not None:
            return self._relative(file.module.name, name, depth + 1)
        return found


def _endings(files: list[File]) -> Iterator[tuple[str, str]]:
    """Shorter names of modules outside of packages, by which those of one folder know each other; each of one alone."""
    modules = [(file.module.placed.split("."), file.module.name) for file in files if file.module.loose]
    found = [(".".join(parts[start:]), name) for parts, name in modules for start in range(1, len(parts))]
    counts = Counter(ending for ending, _ in found)
    return ((ending, name) for ending, name in found if counts[ending] == 1)


def loaded_name(value: Value) -> str | None:
    """The dotted name that import_string("a.b.C") and a get_class("a.b", "C") load; None for anything else."""
    if not isinstance(value, list) or not value[-1].called:
        return None
    called, args = value[-1].name, value[-1].args
    texts = [arg for arg in args if isinstance(arg, str) and not isinstance(arg, Named)]
    if called in ("import_string", "import_module", "get_class", "load", "import_object") and texts:
        return ".".join(texts[:2])
    return None


def _module(file: File) -> Symbol:
    return Symbol(file.module.name, "", "module")
