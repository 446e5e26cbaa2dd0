"""Orchard's planted couplings as a trace of two processes sees them, beside what its files say."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from strangler.analysis.coupling import Kind
from strangler.analysis.kept import Kept
from strangler.analysis.mapping import make_map
from strangler.analysis.observed.beside import picture_of, unseen
from strangler.analysis.observed.reading import read_trace

ROOT = Path(__file__).parents[3]
SECRET = "Rosebud"

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def database(django_db_setup, django_db_blocker):
    """The settings of Orchard in its test database, which is empty again afterwards."""
    from django.db import connection

    given = connection.settings_dict
    url = f"postgresql://{given['USER']}:{given['PASSWORD']}@{given['HOST']}:{given['PORT']}/{given['NAME']}"
    settings = os.environ | {
        "DJANGO_SETTINGS_MODULE": "monolith.settings",
        "PYTHONPATH": f"{ROOT}:{ROOT / 'proxy'}",
        "ORCHARD_DATABASE_URL": url,
        "ORCHARD_DEBUG": "1",
        "ORCHARD_REVIEWS_MOVED": "monolith.reviews.flags.never",
        "ORCHARD_REVIEWS_IDENTITY": "monolith.reviews.flags.no_identity",
        "ORCHARD_NOTIFICATIONS_MOVED": "monolith.reviews.flags.never",
    }
    yield settings
    shopping(settings, "empty")


@pytest.fixture(scope="module")
def folder(database, tmp_path_factory):
    """The traces of a process that ended, and of one that was killed."""
    traces, mail = tmp_path_factory.mktemp("traces"), tmp_path_factory.mktemp("mail")
    traced = database | {"STRANGLER_TRACE": str(traces), "ORCHARD_MAIL_DIR": str(mail)}
    done = shopping(traced, "visit")
    assert done.returncode == 0, done.stderr
    assert shopping(traced, "die").returncode == -signal.SIGKILL
    return traces


@pytest.fixture(scope="module")
def found():
    return make_map(ROOT / "monolith", Kept(None))


@pytest.fixture(scope="module")
def picture(folder, found):
    return picture_of(read_trace(folder), found)


def shopping(environment, what):
    return subprocess.run(
        [sys.executable, str(Path(__file__).with_name("shopping.py")), what, SECRET],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_two_processes_are_one_picture_and_the_killed_one_lost_its_last_requests_alone(picture):
    assert picture.trace.files == 2
    assert picture.trace.complaints == []
    units = {name: entry.units for (_, name), entry in picture.trace.entries.items()}
    assert (units["GET /products/"], units["GET /search/"]) == (1, 1)


def test_checkout_is_seen_to_write_four_apps_in_one_transaction_with_the_provider_called_within(picture):
    held = [held for held in picture.transactions if held.entry.name == "POST /checkout/"]
    apps = [{label.partition(".")[0] for label in one.written} for one in held]
    assert {"orders", "cart", "outbox", "workflow"} in apps
    # And a second one behind it, in which the event is handed over.
    assert [one for one in apps if "notifications" in one] == [{"outbox", "notifications"}]
    (call,) = picture.trace.entries["route", "POST /checkout/"].calls
    assert (call[1].path, call[2]) == ("monolith/orders/payments.py", True)


def test_rating_on_the_product_is_seen_by_the_files_and_by_the_trace(picture, found):
    held = next(held for held in picture.transactions if held.entry.name == "POST /products/<slug:slug>/review/")
    assert {"reviews.Review", "catalog.Product"} <= held.written
    assert any(
        (one.kind, one.source, one.target) == (Kind.HIDDEN_WRITE, "reviews.Review", "catalog.Product")
        for one in found.couplings
    )


def test_ratings_are_seen_to_be_copied_row_by_row_over_the_border(picture):
    chatty = [one for one in picture.chatty if one.entry.name == "reviews.reconcile_ratings"]
    assert [(one.verb, one.label, one.most, one.site.path) for one in chatty] == [
        ("writes", "catalog.Product", 6, "monolith/catalog/services.py")
    ]


def test_task_and_signal_of_a_review_are_seen(picture):
    route = picture.trace.entries["route", "POST /products/<slug:slug>/review/"]
    assert {name for name, _ in route.tasks} == {"reviews.moderate_review"}
    heard = {name for fired in route.signals for name, _ in fired.receivers}
    assert "monolith.reviews.signals.update_product_rating" in heard
    # One for this review, and six for those that were written in no request.
    assert picture.trace.entries["task", "reviews.moderate_review"].units == 7


def test_orders_that_a_template_asks_for_are_seen_by_the_trace_alone(picture, found):
    new = {(one.path, one.target) for one in unseen(found, picture)}
    assert ("templates/accounts/profile.html", "orders.Order") in new
    assert not any(
        one.source_app == "accounts" and one.target == "orders.Order"
        for one in found.couplings
        if one.kind in (Kind.READ, Kind.NAVIGATION, Kind.JOIN, Kind.SQL)
    )


def test_what_both_know_is_not_told_again(picture, found):
    assert ("catalog", "orders.Stock") in {(one.app, one.label) for one in picture.across}
    assert ("catalog", "orders.Stock") not in {(one.source_app, one.target) for one in unseen(found, picture)}


def test_rows_and_bytes_are_those_of_the_server(picture):
    (read,) = [one for one in picture.touches if one.entry.name == "statements"]
    assert (read.label, read.rows, read.unknown) == ("accounts.User", 1, 0)
    assert 1 <= read.bytes <= 20  # the key alone, as text


def test_no_value_is_in_the_files(folder):
    text = "".join(file.read_text() for file in folder.iterdir())
    assert "accounts_user" in text
    assert SECRET.lower() not in text.lower()
