"""A learner's answers: a file of names and values in TOML, which a step lays out empty."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from strangler.workshop.lessons.bench import Bench
from strangler.workshop.lessons.finding import Finding

_CALLED = {str: "a text in quotes", int: "a number", float: "a number", list: 'a list of texts, ["one", "two"]'}


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What was answered, by name; and what is wrong with the rest, whatever it says."""

    path: str
    given: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def has(self, *names: str) -> bool:
        """Whether these were answered, each in its form."""
        return all(name in self.given for name in names)

    def wrong(self, name: str, what: str, where: str) -> Finding:
        """A finding about one of them."""
        return Finding(what=f'"{name}" in {self.path}: {what}', where=where)


def read_answers(bench: Bench, path: str, wanted: Mapping[str, type]) -> Answers:
    """The answers of these names and kinds; those that are missing, empty or of another kind are findings."""
    text = bench.text(path)
    if text is None:
        away = Finding(what=f'"{path}" is not there', where='"strangler workshop reset" lays it out again')
        return Answers(path=path, findings=(away,))
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return Answers(
            path=path, findings=(Finding(what=f"{path} is no TOML: {error}", where="that line; texts stand in quotes"),)
        )
    given = {name: found[name] for name, kind in wanted.items() if _fits(found.get(name), kind)}
    findings = [
        Finding(what=f'"{name}" in {path} is {_said(found.get(name))}', where=f"write {_CALLED[kind]}")
        for name, kind in wanted.items()
        if name not in given
    ]
    return Answers(path=path, given=given, findings=tuple(findings))


def _fits(value: object, kind: type) -> bool:
    if kind is list:
        return isinstance(value, list) and bool(value) and all(isinstance(one, str) and one.strip() for one in value)
    if kind is str:
        return isinstance(value, str) and bool(value.strip())
    return type(value) is kind or (kind is float and type(value) is int)


def _said(value: object) -> str:
    return "not answered yet" if value in (None, "", [], [""], ["", ""]) else f"{value!r}"
