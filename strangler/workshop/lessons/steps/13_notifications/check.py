"""Step 13: does the plan move all that must be known, and came one mail for each order, whoever told of it?"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

import httpx

from strangler.workshop.journal import Entry, Outcome, read
from strangler.workshop.lessons.bench import Bench
from strangler.workshop.lessons.finding import Finding
from strangler.workshop.lessons.orchard import Standing, runs, standing
from strangler.workshop.lessons.record import Event, events

POSITION = "zero"
PLAN = "0002_notifications"
SWITCH = 3
"""The index of the operation that moves the routes and the ownership."""
_FILE = f"migration_plans/{PLAN}/plan.py"
_JOURNAL = ".run/orchard/journal.jsonl"
_MUST_MOVE = {
    "Notification": "the site would show what was true once",
    "Mail": "a mail that waits at the switch would never be sent, or be sent by both",
    "Received": "an event that comes again behind the switch would be told of twice: the inbox stays behind",
    "Preference": "who wants no mails would get them",
    "Suppression": "mails would go to addresses that bounce",
}
_SHOWN = 3


def check(bench: Bench) -> list[Finding]:
    """The plan by what it comes to, and the shoppers' journal against the mailbox."""
    if bench.text(_FILE) is None:
        return [Finding(what=f'there is no plan "{_FILE}"', where="the text: four questions, an operation each")]
    now = standing(bench, PLAN)
    if isinstance(now, Finding):
        return [now]
    shown = json.loads(bench.manage("showplans", PLAN, "--json").stdout)
    wrong = list(plan([one["operation"] for one in shown[0]["operations"]]))
    if wrong:
        return wrong
    if not (bench.home / _JOURNAL).exists():
        return [Finding(what="nobody has shopped: there is no journal", where="the shoppers in the text")]
    if runs(bench, "shoppers"):
        return [
            Finding(what="people still shop", where='"python -m strangler.workshop stop shoppers", and check again')
        ]
    told = httpx.get(bench.instance.url("aws") + "/mailbox.json", trust_env=False).json()
    mails = Counter(str(mail["subject"]) for mail in told)
    return judge(list(read(bench.home / _JOURNAL)), events(bench, PLAN), now, mails)


def plan(operations: list[str]) -> Iterator[Finding]:
    """What is wrong with a plan of operations so described."""
    moved = next((one for one in operations if one.startswith("Move tables")), "")
    for model, why in _MUST_MOVE.items():
        if f"notifications.{model}" not in moved:
            yield Finding(what=f"notifications.{model} stays: {why}", where=f"{_FILE}, MoveTables")
    copied = next((one for one in operations if one.startswith("Replicate accounts.User")), "")
    if "email" not in copied:
        yield Finding(what="the service does not know whom to write to", where=f"{_FILE}, ReplicateTable")


def judge(entries: list[Entry], seen: list[Event], now: Standing, mails: Counter[str]) -> list[Finding]:
    """Whether each order was told of once, decided purely. "mails" are those that were sent, by subject."""
    switches = [event.at for event in seen if event.index == SWITCH and event.event == "done"]
    if now.applied <= SWITCH or now.owner != "notifications" or not switches:
        return [
            Finding(what="the service does not own the notifications yet", where='"python manage.py applyplan 0002 4"')
        ]
    orders = {
        f"Your order {entry.key[:8].upper()}": entry.at
        for entry in entries
        if entry.kind == "order" and entry.outcome is Outcome.ACKNOWLEDGED
    }
    return [*_around(list(orders.values()), switches), *_once(orders, mails)]


def _around(orders: list[float], switches: list[float]) -> Iterator[Finding]:
    where = '"strangler workshop reset", then the shoppers first, and the plan beside them'
    if not any(at < switches[0] for at in orders):
        yield Finding(what="nobody had ordered before the switch: that shows nothing", where=where)
    if not any(at > switches[0] for at in orders):
        yield Finding(what="nobody has ordered behind the switch: that shows nothing", where=where)


def _once(orders: dict[str, float], mails: Counter[str]) -> Iterator[Finding]:
    for subject in [one for one in orders if mails[one] == 0][:_SHOWN]:
        where = "does it wait? Wait too. Else .run/orchard/processes/notifications-*.log, and deadletters list"
        yield Finding(what=f'no mail "{subject}" was sent', where=where)
    for subject in [one for one in orders if mails[one] > 1][:_SHOWN]:
        where = ".run/orchard/processes/notifications-worker.log: its attempts"
        yield Finding(what=f'{mails[subject]} mails "{subject}" were sent', where=where)
