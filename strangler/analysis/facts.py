"""What one file says, before anybody knows what its names mean: imports, classes, functions, chains of calls, SQL."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias, Union

EACH = "*"
"""The name of the link from many to each of them, in a loop or a comprehension."""
PARTS = ","
"""The name of the link that is a tuple of its arguments; with a number behind it that of a part of one."""


class Named(str):
    """A name with its attributes, as an argument or a value: "models.CASCADE"."""

    __slots__ = ()


NOTHING: dict[str, Value] = {}
"""The keywords of whatever has none: there are very many, and one for each of them would be a quarter of all memory."""


@dataclass(kw_only=True, slots=True)
class Step:
    """One link of a chain: a name, with what it was called with.

    "[]" is one of what comes before, "[:]" some, EACH each of it, "()" a call of it.
    The first link is a module's name, "self", or a local: "@Name" is an instance of Name, "?name" is unknown.
    """

    name: str
    line: int = 0
    called: bool = False
    args: tuple[Value, ...] = ()
    keywords: dict[str, Value] = field(default_factory=lambda: NOTHING)
    local: str = ""
    """The variable that the chain up to here was assigned to, where it goes on from one."""


Value: TypeAlias = Union[str, int, float, Named, list[Step], "tuple[Value, ...]", "dict[str, Value]", None]
"""Constants as they are, names as Named, calls as their chains, and None for what is nothing of these."""


def chain_of(value: Value) -> list[Step]:
    """The chain that a value is: of a name, or of calls; nothing for a constant."""
    if isinstance(value, Named):
        return [Step(name=part) for part in value.split(".")]
    return value if isinstance(value, list) else []


@dataclass(kw_only=True, slots=True)
class Import:
    """A name that stands for something of another module. "*" is all of it, and "" only that it is loaded."""

    name: str
    target: str
    line: int
    where: str
    """ "module", "function" or "typing"; "name" where it only gives a name to what another one loads."""


@dataclass(kw_only=True, slots=True)
class Chain:
    """Names and calls one after the other, as in Product.objects.filter(category=1), somewhere in a scope."""

    scope: str
    line: int
    steps: list[Step]
    stored: bool = False
    """Whether it is assigned to."""

    def __str__(self) -> str:
        return ".".join(step.name + ("()" if step.called else "") for step in self.steps)


@dataclass(kw_only=True, slots=True)
class Class:
    """A class, by its name within the module, and what is assigned in it and in its Meta."""

    name: str
    line: int
    bases: list[str]
    decorators: list[Chain]
    attributes: dict[str, Value]
    lines: dict[str, int]
    """Of the attributes, and of those of Meta with an "@" before them."""
    meta: dict[str, Value]
    own: dict[str, Chain] = field(default_factory=dict)
    """What its methods assign to "self"."""


@dataclass(kw_only=True, slots=True)
class Function:
    """A function or method, by its name within the module, and what its parameters and its result are said to be."""

    name: str
    line: int
    decorators: list[Chain]
    parameters: dict[str, str]
    result: str = ""
    """The name of its annotation; "*Name" where that is a set of them."""
    returned: list[list[Step]] = field(default_factory=list)


@dataclass(kw_only=True, slots=True)
class Facts:
    """All of a file."""

    imports: list[Import] = field(default_factory=list)
    classes: list[Class] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    assigned: dict[str, Value] = field(default_factory=dict)
    chains: list[Chain] = field(default_factory=list)
    sql: list[tuple[int, str, str]] = field(default_factory=list)
    """(line, scope, text)."""
    dotted: list[tuple[int, str, str]] = field(default_factory=list)
    """Texts that could be whole names of something, as (line, scope, text)."""
    held: list[tuple[int, str, str]] = field(default_factory=list)
    """Texts that locals hold and that could be names of routes or templates, as (line, scope, text)."""
    requests: dict[str, list[Chain]] = field(default_factory=dict)
    """What is put on a request, by the attribute's name."""
    keywords: dict[str, list[Chain]] = field(default_factory=dict)
    """What functions called like "get_form_kwargs" put into a dictionary, by the key: somebody hands it over."""
    names: set[tuple[str, str]] = field(default_factory=set)
    """(scope, name): names that stand alone and are no locals of their scope."""
    paths: set[tuple[str, str]] = field(default_factory=set)
    """(scope, text) of texts that begin with "/"; "{}" is where something is put in."""
    atomic_requests: bool = False
    """Whether it says of a database that each request is a transaction."""
    lines: int = 0
