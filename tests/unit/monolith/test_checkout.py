from uuid import uuid4

import pytest

from monolith.cart.models import Item
from monolith.cart.services import item_add
from monolith.orders.models import Order, Stock
from monolith.orders.payments import PaymentFailed
from monolith.orders.services import OutOfStock, order_place
from monolith.outbox.models import Event
from monolith.workflow.engine import run_due
from monolith.workflow.models import Run


@pytest.fixture
def cart(product, other_product):
    key = uuid4()
    item_add(cart=key, product=product, quantity=2)
    item_add(cart=key, product=other_product)
    return key


def on_hand(product):
    return Stock.objects.get(product=product).on_hand


def test_order_takes_stock_charges_once_and_starts_the_workflow(ada, product, cart, provider):
    order = order_place(customer=ada, cart=cart, address="1 Mill Lane")
    assert on_hand(product) == 8
    assert [charge["amount"] for charge in provider.charges()] == ["37.50"]
    assert order.payment.provider_reference == provider.charges()[0]["reference"]
    assert not Item.objects.exists()
    assert Run.objects.get().subject == order.pk
    assert Event.objects.get().type == "order.placed"


def test_declined_payment_changes_nothing(ada, product, cart, provider):
    provider.behave(delay=0, failing=True)
    with pytest.raises(PaymentFailed):
        order_place(customer=ada, cart=cart, address="1 Mill Lane")
    assert on_hand(product) == 10
    assert not Order.objects.exists()
    assert not Event.objects.exists()
    assert Item.objects.count() == 2


def test_provider_that_is_down_changes_nothing(ada, product, cart, settings):
    settings.PAYMENT_URL = "http://127.0.0.1:1"
    with pytest.raises(PaymentFailed):
        order_place(customer=ada, cart=cart, address="1 Mill Lane")
    assert on_hand(product) == 10


def test_too_little_stock_charges_nobody(ada, product, cart, provider):
    Stock.objects.filter(product=product).update(on_hand=1)
    with pytest.raises(OutOfStock):
        order_place(customer=ada, cart=cart, address="1 Mill Lane")
    assert provider.charges() == []


def test_checkout_page_sent_twice_is_one_order(as_user, ada, product, provider):
    client = as_user(ada)
    client.post(f"/products/{product.slug}/add/")
    form = {"number": str(uuid4()), "address": "1 Mill Lane"}
    first = client.post("/checkout/", form)
    again = client.post("/checkout/", form)
    assert (first.status_code, first.url) == (302, again.url)
    assert (Order.objects.count(), len(provider.charges())) == (1, 1)
    assert "1 Mill Lane" in client.get(first.url).content.decode()


def test_checkout_page_says_that_the_payment_was_declined(as_user, ada, product, provider):
    provider.behave(delay=0, failing=True)
    client = as_user(ada)
    client.post(f"/products/{product.slug}/add/")
    answer = client.post("/checkout/", {"number": str(uuid4()), "address": "1 Mill Lane"})
    assert answer.status_code == 502
    assert "The payment was declined." in answer.content.decode()
    assert on_hand(product) == 10


def test_workflow_ships_the_order(ada, cart, provider):
    order = order_place(customer=ada, cart=cart, address="1 Mill Lane")
    run_due()
    order.refresh_from_db()
    assert order.status == Order.Status.PACKED
    Run.objects.update(wake_at="2020-01-01T00:00:00Z")
    run_due()
    order.refresh_from_db()
    assert order.status == Order.Status.SHIPPED
    assert run_due() == 0


def test_workflow_step_that_fails_is_tried_again_later(db):
    run = Run.objects.create(kind="fulfilment", subject=999)
    assert run_due() == 1
    run.refresh_from_db()
    assert (run.attempts, run.state, run.finished_at) == (1, "start", None)
    assert "does not exist" in run.error
