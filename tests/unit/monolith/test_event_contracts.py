"""The producer's side of the events: what Orchard sends is what docs/events/ promises, and at least what is needed."""

import json
from pathlib import Path
from uuid import uuid4

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from monolith.accounts.services import user_register
from monolith.cart.services import item_add
from monolith.notifications.events import KNOWN
from monolith.orders.services import order_place
from monolith.outbox.models import Event
from monolith.outbox.relay import envelope
from monolith.workflow.engine import run_due
from monolith.workflow.models import Run

ROOT = Path(__file__).parents[3]
PROMISED = ROOT / "docs" / "events"
NEEDED = ROOT / "extracted" / "notifications" / "notifications_service" / "notifications" / "needs"


def check(value, path):
    Draft202012Validator(json.loads(path.read_text()), format_checker=Draft202012Validator.FORMAT_CHECKER).validate(
        value
    )


@pytest.fixture
def sent(db, product, provider, settings):
    """What goes to the topic for a customer who registers, orders, gets the goods and goes, as JSON brings it there."""
    settings.OUTBOX_TOPIC = "arn:aws:sns:eu-west-1:1:orchard-events.fifo"
    customer = user_register(username="cleo", email="cleo@orchard.example", password="long-enough-7")
    cart = uuid4()
    item_add(cart=cart, product=product, quantity=2)
    order_place(customer=customer, cart=cart, address="1 Mill Lane")
    run_due()
    Run.objects.update(wake_at="2020-01-01T00:00:00Z")
    run_due()
    customer.delete()
    return [json.loads(json.dumps(envelope(event))) for event in Event.objects.order_by("pk")]


def test_everything_that_is_promised_is_sent_as_promised(sent):
    kinds = [f"{told['type']}.v{told['version']}" for told in sent]
    assert kinds == ["account.registered.v1", "order.placed.v1", "order.shipped.v1", "account.deleted.v1"]
    assert {f"{kind}.json" for kind in kinds} | {"envelope.json"} == {path.name for path in PROMISED.iterdir()}
    for told, kind in zip(sent, kinds, strict=True):
        check(told, PROMISED / "envelope.json")
        check(told["data"], PROMISED / f"{kind}.json")


def test_what_the_notifications_understand_is_promised():
    assert {f"{type}.v{version}.json" for type, version in KNOWN.items()} <= {path.name for path in PROMISED.iterdir()}


def test_what_the_service_needs_is_sent(sent):
    needed = sorted(NEEDED.glob("*.json"))
    assert needed, "the service says nowhere what it needs"
    by_kind = {f"{told['type']}.v{told['version']}": told for told in sent}
    for path in needed:
        check(by_kind[path.stem]["data"], path)


def test_order_is_shown_as_the_customer_knows_it(sent):
    assert sent[1]["data"]["total"] == "€ 25.00"
    assert len({told["subject"] for told in sent}) == 1


@pytest.mark.parametrize(("kind", "lost"), [("order.placed.v1", "total"), ("order.shipped.v1", "order")])
def test_field_that_is_sent_no_more_is_noticed(sent, kind, lost):
    (told,) = [told for told in sent if kind.startswith(told["type"])]
    with pytest.raises(ValidationError, match=f"'{lost}' is a required property"):
        check({name: value for name, value in told["data"].items() if name != lost}, PROMISED / f"{kind}.json")


def test_no_address_is_in_an_event(sent):
    assert "@" not in json.dumps(sent)
