"""Lab 24: would a test have told that the two sides part, and may either be deployed first?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from strangler.workshop.lessons.bench import Bench
from strangler.workshop.lessons.finding import Finding
from strangler.workshop.lessons.probing import experiment

_PROGRAM = Path(__file__).parent / "start" / "labs" / "contracts.py"
_CONTRACT = "extracted/notifications/tests/contract.py"
_EVENTS, _PROMISE = "monolith/orders/events.py", "docs/events/order.placed.v1.json"
_SERVICE = "extracted/notifications/notifications_service/notifications"
_RIGHT = 'a mail, "Your order 0B7E5A34": We have received € 37.50 for your order.'
_WANTED = ("amount", "currency")


def check(bench: Bench) -> list[Finding]:
    """The contract's test against promises that are broken, and both orders of deployment."""
    said, broken = experiment(bench, _PROGRAM)
    return [broken] if broken is not None else [*_contract(said), *_own_tests(said), *_deployments(said)]


def _contract(said: Mapping[str, Any]) -> Iterator[Finding]:
    if said["blind"]:
        what = f"the contract's test is wrong where {said['blind'][0]}"
        yield Finding(what=what, where=f'{_CONTRACT}: "required" and "properties" of promise and need')
    if said["contract"]:
        yield Finding(what=f"the contract is broken: {said['contract']}", where=f"{_PROMISE}, and {_SERVICE}/needs")


def _own_tests(said: Mapping[str, Any]) -> Iterator[Finding]:
    if said["orchard"]:
        what = f"Orchard does not tell what it promises: {said['orchard']}"
        yield Finding(what=what, where=f"{_EVENTS} beside {_PROMISE}")
    if lost := [name for name in _WANTED if name not in said["event"]["data"]]:
        yield Finding(what=f'the accounts want "{lost[0]}", and are not told it', where=_EVENTS)


def _deployments(said: Mapping[str, Any]) -> Iterator[Finding]:
    if said["old"] != _RIGHT:
        what = f"Orchard is deployed first, and the notifications of last week make of an order: {said['old']}"
        where = f"{_EVENTS}: what they need stays; a field may come, none may go, and no version that nobody knows yet"
        yield Finding(what=what, where=where)
    if said["service_first"] != _RIGHT:
        what = f"the notifications are deployed first, and make of last week's event: {said['service_first']}"
        yield Finding(what=what, where=f"{_SERVICE}/needs and {_SERVICE}/mails: they may need no more than is told now")
    if said["new"] != _RIGHT and said["old"] == _RIGHT:
        what = f"both are deployed, and make of an order: {said['new']}"
        yield Finding(what=what, where=f"{_EVENTS}, {_SERVICE}/needs and {_SERVICE}/mails")
