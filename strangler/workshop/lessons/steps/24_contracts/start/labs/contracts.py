"""Two teams, two deployments: what happens to an order's mail if either side goes first?"""

import importlib.util
import json
import sys
from pathlib import Path
from types import SimpleNamespace

from django.conf import settings
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

PROMISES = Path("docs/events")
SERVICE = Path("extracted/notifications")
ORDER = SimpleNamespace(customer_id=17, short_number="0B7E5A34", total="37.50")
DEPLOYED_DATA = {"user_id": 17, "order": "0B7E5A34", "total": "€ 37.50"}
DEPLOYED_NEED = {"required": ["user_id", "order", "total"], "properties": {"order": {"type": "string"}}}
"""Both sides as they are deployed now, of last week's code."""


def main():
    settings.configure()
    sys.path.append(str(SERVICE))
    from monolith.orders.events import placed

    event = placed(ORDER)
    told = {
        "event": event,
        "orchard": promised(event),
        "service": understood(DEPLOYED_DATA),
        "contract": kept(),
        "old": deployed_mail(event),
        "new": mail(event),
        "service_first": mail({"type": "order.placed", "version": 1, "data": DEPLOYED_DATA}),
        "blind": blind_to(),
    }
    if "--json" in sys.argv:
        print(json.dumps(told))
        return
    print(f"Orchard's own tests: {told['orchard'] or 'green'}")
    print(f"The notifications' own tests: {told['service'] or 'green'}")
    print(f"The contract between them: {told['contract'] or 'green'}")
    print("Orchard is deployed first, and somebody orders:")
    print(f"  {told['old']}")
    print("The notifications are deployed first, and somebody orders:")
    print(f"  {told['service_first']}")
    print("Both are deployed, and somebody orders:")
    print(f"  {told['new']}")


def promised(event):
    """What of an event is not as Orchard promises it."""
    path = PROMISES / f"{event['type']}.v{event['version']}.json"
    if not path.exists():
        return f'"{path}" is not there'
    try:
        Draft202012Validator(json.loads(path.read_text())).validate(event["data"])
    except ValidationError as error:
        return error.message
    return ""


def understood(data):
    """What the notifications do not understand of the event in their own tests."""
    return mail({"type": "order.placed", "version": 1, "data": data}).partition("parked: ")[2]


def mail(event):
    """What the notifications make of an event, as they are here."""
    from notifications_service.notifications import events, needs, rendering

    told = {"event": "0b7e5a34-4b43-4f6e-9f0d-3a3c7a3b2f11", "at": "2026-11-26T10:00:00+00:00", "traceparent": ""}
    parsed = events.parse(json.dumps({**told, **event}))
    try:
        needs.check(parsed)
    except ValueError as error:
        return f"parked: {error}"
    text = rendering.render(parsed, name="Ada")
    return f'a mail, "{text.subject}": {text.body}'


def deployed_mail(event):
    """What they made of it last week."""
    if event["version"] != 1:
        return f"parked: version {event['version']} of order.placed is not understood here, only 1"
    try:
        Draft202012Validator(DEPLOYED_NEED).validate(event["data"])
    except ValidationError as error:
        return f"parked: {error.message}"
    data = event["data"]
    return f'a mail, "Your order {data["order"]}": We have received {data["total"]} for your order.'


def kept():
    """What the contract's test says of all promises and needs."""
    missing = _missing()
    found = [f"{path.stem}: {one}" for path, promise, need in _pairs() for one in missing(promise, need)]
    return "; ".join(found)


def blind_to():
    """Promises that are broken, and which the contract's test takes for kept; and one that is kept, and is refused."""
    missing, blind = _missing(), []
    for _, promise, need in _pairs():
        whole = {**promise, "required": [*need["required"]], "properties": {**need["properties"]}}
        for name in need["required"]:
            less = [other for other in need["required"] if other != name]
            if not missing({**whole, "required": less}, need):
                blind.append(f'"{name}" may be missing')
            if not missing({**whole, "properties": {**whole["properties"], name: {"type": "null"}}}, need):
                blind.append(f'"{name}" is of another type')
        more = {**whole, "properties": {**whole["properties"], "gift": {"type": "string"}}}
        if missing({**more, "required": [*whole["required"], "gift"]}, need):
            blind.append("a field more is promised, which does no harm")
    return blind


def _pairs():
    for path in sorted((SERVICE / "notifications_service/notifications/needs").glob("*.json")):
        promise = PROMISES / path.name
        promised = json.loads(promise.read_text()) if promise.exists() else {"type": "object"}
        yield path, promised, json.loads(path.read_text())


def _missing():
    spec = importlib.util.spec_from_file_location("contract", SERVICE / "tests/contract.py")
    contract = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(contract)
    return contract.missing


if __name__ == "__main__":
    main()
