"""Step 2: does the learner read the map as it is?"""

from __future__ import annotations

from collections.abc import Iterator

from strangler.analysis.coupling import Coupling, Kind, weight
from strangler.workshop.lessons.answers import Answers, read_answers
from strangler.workshop.lessons.bench import Bench
from strangler.workshop.lessons.finding import Finding
from strangler.workshop.lessons.mapping import SHOP, map_of

_ANSWERS = "answers/02_map.toml"
_WANTED = {"heaviest_from": str, "heaviest_to": str, "circle": list, "keys_to_users": int, "hidden_write": str}
_KEYS = (Kind.FOREIGN_KEY, Kind.ONE_TO_ONE)
_USER = "accounts.User"


def check(bench: Bench) -> list[Finding]:
    """Each answer against the map of the learner's own files."""
    answers = read_answers(bench, _ANSWERS, _WANTED)
    found = [coupling for coupling in map_of(bench).couplings if not coupling.test]
    return [
        *answers.findings,
        *_heaviest(answers, found),
        *_circle(answers, found),
        *_keys(answers, found),
        *_hidden(answers, found),
    ]


def _heaviest(answers: Answers, found: list[Coupling]) -> Iterator[Finding]:
    if not answers.has("heaviest_from", "heaviest_to"):
        return
    pairs: dict[tuple[str, str], list[Coupling]] = {}
    for coupling in found:
        pairs.setdefault((coupling.source_app, coupling.target_app), []).append(coupling)
    heaviest = max(weight(between) for between in pairs.values())
    pair = (answers.given["heaviest_from"], answers.given["heaviest_to"])
    where = 'the first line of "strangler map monolith"'
    if pair not in pairs:
        yield answers.wrong(
            "heaviest_from", f'nothing ties "{pair[0]}" to "{pair[1]}"', f"{where}, and how apps are called there"
        )
    elif weight(pairs[pair]) < heaviest and weight(pairs.get(pair[::-1], [])) == heaviest:
        yield answers.wrong("heaviest_from", "it is the other way round: A -> B says that A depends on B", where)
    elif weight(pairs[pair]) < heaviest:
        yield answers.wrong("heaviest_from", f"that pair weighs {weight(pairs[pair])}, another {heaviest}", where)


def _circle(answers: Answers, found: list[Coupling]) -> Iterator[Finding]:
    if not answers.has("circle"):
        return
    imports = {(one.source_app, one.target_app) for one in found if one.kind is Kind.IMPORT}
    apps = {app for pair in imports for app in pair}
    pair = tuple(answers.given["circle"])
    where = 'the pairs in "strangler map monolith --kind import": one must be there in both directions'
    if len(pair) != 2 or len(set(pair)) != 2:
        yield answers.wrong("circle", "name two apps that differ", where)
    elif unknown := [app for app in pair if app not in apps]:
        yield answers.wrong("circle", f'"{unknown[0]}" imports nothing, and nobody imports it', where)
    elif one_way := [way for way in (pair, pair[::-1]) if way not in imports]:
        yield answers.wrong("circle", f'"{one_way[0][0]}" imports nothing of "{one_way[0][1]}"', where)


def _keys(answers: Answers, found: list[Coupling]) -> Iterator[Finding]:
    if not answers.has("keys_to_users"):
        return
    number = sum(one.kind in _KEYS and one.target == _USER for one in found)
    given = answers.given["keys_to_users"]
    pointing = sum(one.target == _USER for one in found)
    where = f"\"strangler map monolith --app accounts --kind 'foreign key' --lines\": those that end with {_USER}"
    if given == pointing != number:
        yield answers.wrong(
            "keys_to_users", "that counts every coupling with the users, soft keys and joins too", where
        )
    elif given != number:
        yield answers.wrong("keys_to_users", f"{given} is not what the map shows", where)


def _hidden(answers: Answers, found: list[Coupling]) -> Iterator[Finding]:
    if not answers.has("hidden_write"):
        return
    given = answers.given["hidden_write"].removeprefix(f"{SHOP}/")
    there = [one for one in found if f"{one.path}:{one.line}" == given]
    where = "\"strangler map monolith --app reviews --app catalog --kind 'hidden write' --lines\", and its code"
    if not there:
        yield answers.wrong("hidden_write", f'the map has nothing at "{given}"', f"{where}; write it as path:line")
    elif not any(one.kind is Kind.HIDDEN_WRITE for one in there):
        yield answers.wrong("hidden_write", f"that is {there[0].kind}, which everybody sees who reads the line", where)
    elif not any(one.source == "reviews.Review" and one.target_app == "catalog" for one in there):
        yield answers.wrong(
            "hidden_write", f"that hides a write of {there[0].target}, and not because a review is saved", where
        )
