"""What names stand for: the definitions of a project, by their dotted names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from strangler.analysis.facts import Named, Step, Value
from strangler.analysis.project import Project
from strangler.analysis.symbols import File, Symbol
from strangler.analysis.tasks import find_tasks

SETTINGS = "django.conf.settings."


@dataclass(frozen=True, kw_only=True)
class Resolver:
    """Knows the definitions of a project by the names that its files have for them."""

    project: Project

    @cached_property
    def owned(self) -> dict[Symbol, list[str]]:
        """The names of the methods that each class has itself."""
        found: dict[Symbol, list[str]] = {}
        for module, file in self.project.symbols.files.items():
            for name in file.functions:
                owner, _, last = name.rpartition(".")
                if owner in file.classes:
                    found.setdefault(Symbol(module, owner, "class"), []).append(last)
        return found

    @cached_property
    def methods(self) -> frozenset[str]:
        """What methods of any class are called."""
        return frozenset(name for names in self.owned.values() for name in names)

    @cached_property
    def settings(self) -> dict[str, list[str]]:
        """Nodes of what modules of settings assign, by name."""
        found: dict[str, list[str]] = {}
        for module, file in self.project.symbols.files.items():
            if "settings" in module or "INSTALLED_APPS" in file.facts.assigned:
                for name in file.facts.assigned:
                    if name.isupper():
                        found.setdefault(name, []).append(f"{module}.{name}")
        return found

    @cached_property
    def tasks(self) -> dict[str, str]:
        """Nodes of tasks, by their names."""
        return dict(find_tasks(self.project.symbols))

    @cached_property
    def commands(self) -> dict[str, list[str]]:
        """Nodes of commands' classes, by the names of their modules."""
        found: dict[str, list[str]] = {}
        for module, file in self.project.symbols.files.items():
            parts = module.split(".")
            if parts[-3:-1] == ["management", "commands"] and "Command" in file.classes:
                found.setdefault(parts[-1], []).append(f"{module}.Command")
        return found

    @cached_property
    def templates(self) -> dict[str, str]:
        """The names under which templates are loaded, by their paths."""
        found = {}
        for path in self.project.tree.templates:
            parts = path.split("/")
            start = max(number for number, part in enumerate(parts) if part in ("templates", "jinja2"))
            found[path] = "/".join(parts[start + 1 :])
        return found

    @cached_property
    def template_names(self) -> frozenset[str]:
        """All of those names."""
        return frozenset(self.templates.values())

    @cached_property
    def _labels(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for model in self.project.registry.real():
            if model.symbol is not None and not self.project.symbols.files[model.symbol.module].module.is_test:
                found.setdefault(model.label.rpartition(".")[2].lower(), []).append(model.label)
        return found

    def called_like(self, name: str) -> list[str]:
        """The label of the one model that is called so; none for several."""
        found = self._labels.get(name, [])
        return found if len(found) == 1 else []

    @cached_property
    def managers(self) -> dict[str, list[Symbol]]:
        """Managers' and query sets' classes by the labels of the models that use them."""
        found: dict[str, list[Symbol]] = {}
        for symbol, label in self.project.following.managed.items():
            found.setdefault(label, []).append(symbol)
        return found

    def node(self, symbol: Symbol) -> str:
        """The node of what a name stands for; empty for modules and what is outside of the project."""
        if symbol.kind in ("class", "function"):
            return symbol.dotted
        if symbol.kind != "value":
            return ""
        file, parts = self.project.symbols.files[symbol.module], symbol.name.split(".")
        for length in range(len(parts), 0, -1):
            name = ".".join(parts[:length])
            if name in file.classes or name in file.functions:
                return f"{symbol.module}.{name}"
        return f"{symbol.module}.{parts[0]}"

    def scope(self, file: File, scope: str) -> str:
        """The node that a scope belongs to: the innermost function or class, or the module."""
        parts = scope.split(".")
        for length in range(len(parts), 0, -1):
            name = ".".join(parts[:length])
            if name in file.functions or name in file.classes:
                return f"{file.module.name}.{name}"
        return file.module.name

    def by_name(self, file: File, dotted: str) -> list[str]:
        """The nodes that a name stands for within a file."""
        symbol = self.project.symbols.find_in(file.module.name, dotted)
        if symbol.kind == "outside" and symbol.name.startswith(SETTINGS):
            return self.settings.get(symbol.name.removeprefix(SETTINGS).partition(".")[0], [])
        node = self.node(symbol)
        return [node] if node else []

    def by_text(self, text: str) -> str:
        """The node that a text names in full, as in settings, or for whoever patches it."""
        if "." not in text or " " in text or "/" in text:
            return ""
        return self.node(self.project.symbols.find(text))

    def member(self, owner: Symbol, name: str) -> str:
        """The method, of a class or one that it inherits from, that is called so; empty for none."""
        for base in self.project.symbols.ancestors(owner):
            if base.kind == "class":
                found = f"{base.name}.{name}"
                file = self.project.symbols.files[base.module]
                if found in file.functions or found in file.classes:
                    return f"{base.module}.{found}"
        return ""

    def is_property(self, owner: Symbol, name: str) -> bool:
        """Whether a method is used without calling it."""
        function = self.project.symbols.files[owner.module].functions[f"{owner.name}.{name}"]
        return any(decorator.steps[-1].name.endswith("property") for decorator in function.decorators)

    def is_protocol(self, owner: Symbol) -> bool:
        """Whether any class with the same methods stands for it."""
        return any(base.name.rpartition(".")[2] == "Protocol" for base in self.project.symbols.bases(owner))

    def is_framework(self, owner: Symbol) -> bool:
        """Whether a class comes from one outside of the project, which may call its methods."""
        outside = (base for base in self.project.symbols.ancestors(owner) if base.kind == "outside")
        return any(base.name.rpartition(".")[2] not in _PLAIN for base in outside)

    def owner(self, file: File, scope: str) -> Symbol | None:
        """The class that a scope is in."""
        parts = scope.split(".")
        for length in range(len(parts), 0, -1):
            if (name := ".".join(parts[:length])) in file.classes:
                return Symbol(file.module.name, name, "class")
        return None


def parts_of(value: Value) -> Iterator[str | Named | list[Step]]:
    """Texts, names and chains within a value, however deep."""
    if isinstance(value, tuple):
        for part in value:
            yield from parts_of(part)
    elif isinstance(value, dict):
        for part in value.values():
            yield from parts_of(part)
    elif isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield value
        for step in value:
            for part in (*step.args, *step.keywords.values()):
                yield from parts_of(part)


_PLAIN = frozenset(
    {"object", "Protocol", "Generic", "ABC", "NamedTuple", "TypedDict", "Enum", "StrEnum", "IntEnum", "Exception"}
    | {"ValueError", "TypeError", "RuntimeError", "KeyError", "LookupError", "type"}
)
