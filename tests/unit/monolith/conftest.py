"""A small shop to test in: two people, a member of staff, two products."""

import threading

import pytest
from django.test import Client

from monolith.accounts.models import User
from monolith.catalog.models import Category, Product
from monolith.celery import app
from monolith.fakes import payment_provider
from monolith.orders.models import Stock


@pytest.fixture(autouse=True)
def no_broker():
    """Nothing listens where tasks are sent; who wants them run asks for `tasks_at_once`."""
    app.conf.broker_url = "redis://127.0.0.1:1/0"


@pytest.fixture(autouse=True)
def reviews_are_here(settings):
    settings.REVIEWS_MOVED = "monolith.reviews.flags.never"
    settings.REVIEWS_IDENTITY = "monolith.reviews.flags.no_identity"


@pytest.fixture(autouse=True)
def notifications_are_here(settings):
    settings.NOTIFICATIONS_MOVED = "monolith.reviews.flags.never"
    settings.NOTIFICATIONS_IDENTITY = "monolith.reviews.flags.no_identity"


@pytest.fixture
def ada(db):
    return User.objects.create(username="ada", email="ada@orchard.example")


@pytest.fixture
def ben(db):
    return User.objects.create(username="ben", email="ben@orchard.example")


@pytest.fixture
def staff(db):
    return User.objects.create(username="manager", is_staff=True, is_superuser=True)


@pytest.fixture
def product(db):
    return _product("Oak Stool", 10)


@pytest.fixture
def other_product(db):
    return _product("Brass Lantern", 3)


@pytest.fixture
def as_user():
    """A client that is logged in as somebody."""

    def client(user):
        logged_in = Client()
        logged_in.force_login(user)
        return logged_in

    return client


@pytest.fixture
def tasks_at_once():
    """Tasks run where they are enqueued, instead of going to a broker."""
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


@pytest.fixture
def provider(settings):
    """A payment provider that runs and is configured."""
    listening = payment_provider.server(0)
    threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
    settings.PAYMENT_URL = f"http://127.0.0.1:{listening.server_port}"
    yield listening.provider
    listening.shutdown()
    listening.server_close()


def _product(name, on_hand):
    category, _ = Category.objects.get_or_create(slug="things", defaults={"name": "Things"})
    made = Product.objects.create(
        name=name, slug=name.lower().replace(" ", "-"), price="12.50", category=category, description="Solid."
    )
    Stock.objects.create(product=made, on_hand=on_hand)
    return made
