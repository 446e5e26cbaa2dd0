"""The second extraction, under load and over kills: each order is told of by one mail, whoever owns the mails."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import httpx
import psycopg
import pytest

from strangler.workshop.aws import names
from strangler.workshop.instance import PASSWORD
from strangler.workshop.owners import OwnerWatch

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]

PLAN = "0002_notifications"
COPIED, SWITCHED, RETIRED = "3", "4", "5"
"""Operations done: the rows are copied and followed; the service has the events, the mails and the routes; for good."""
BUYERS = 2
MOST_WAITING = 3
"""Orders of a buyer that no mail has come for: a slow machine is given no more than it can do."""
PATIENCE = 120


def test_each_order_gives_one_mail_before_during_and_after_the_move_and_its_way_back(orchard):
    _come_again_soon(orchard)
    watch = OwnerWatch(_dsn(orchard, "SOURCE"), _dsn(orchard, "NOTIFICATIONS"), PLAN)
    with watch, _buying(orchard) as buyers:
        orchard.manage("applyplan", PLAN, COPIED)
        assert _told_on_the_page(orchard, buyers[0])
        orchard.manage("applyplan", PLAN, SWITCHED)
        for name in ("relay_events", "notifications-events", "notifications-worker"):
            _kill(orchard, name)
        assert _told_on_the_page(orchard, buyers[0])
        _sent_by_the_service(orchard, buyers[0])
        orchard.manage("applyplan", PLAN, COPIED)
        assert _told_on_the_page(orchard, buyers[0])
        orchard.manage("applyplan", PLAN, SWITCHED)
    placed = {f"Your order {number}" for buyer in buyers for number in buyer.orders}
    assert all(len(buyer.orders) > 5 for buyer in buyers)
    _until(lambda: placed <= set(_mails(orchard, buyers)), "a mail for each order")
    mails = _mails(orchard, buyers)
    assert {subject: times for subject, times in mails.items() if times > 1 and subject != "Welcome to Orchard"} == {}
    assert mails["Welcome to Orchard"] == BUYERS
    assert {subject for subject in mails if subject.startswith("Your order")} == placed
    assert _dead(orchard) == "0"
    assert (watch.two_owners, watch.broken) == (0, "")
    assert watch.looks > 100


def test_account_deleted_after_the_move_leaves_nothing_at_the_service_and_the_way_back_is_whole(orchard):
    orchard.manage("applyplan", PLAN, SWITCHED)
    gone, stays = orchard.person(), orchard.person()
    for person in (gone, stays):
        assert person.write("PUT", "/api/notifications/preferences/", {"mail": True}).status_code == 200
        _until(lambda person=person: _kept(orchard, person) >= {"notification", "mail", "preference"}, "it has come")
    number = _number(orchard, gone)
    _delete_in_the_admin(orchard, number)
    _until(lambda: not _rows(orchard, number), "the service forgets")
    assert _kept(orchard, stays) == {"notification", "mail", "preference"}
    # Where anything of somebody gone were left, its foreign key could not come back.
    orchard.manage("applyplan", PLAN, "zero")
    assert not _rows(orchard, number, "SOURCE")


def test_retired_it_has_no_way_back_and_each_order_is_still_told_of_once(orchard):
    with _buying(orchard) as buyers:
        orchard.manage("applyplan", PLAN, RETIRED, "--final", "--noinput")
        assert _told_on_the_page(orchard, buyers[0])
        _sent_by_the_service(orchard, buyers[0])
    placed = {f"Your order {number}" for buyer in buyers for number in buyer.orders}
    _until(lambda: placed <= set(_mails(orchard, buyers)), "a mail for each order")
    assert {times for subject, times in _mails(orchard, buyers).items() if subject in placed} == {1}
    for words, said in (
        ((COPIED,), 'operation 5 of plan "0002_notifications" (Retire tables'),
        (("--final", "--noinput"), 'code "monolith.notifications.local" is still there; delete it'),
    ):
        refused = orchard.system.manage("applyplan", PLAN, *words, check=False)
        assert refused.returncode == 1
        assert said in refused.stderr, refused.stderr
    with psycopg.connect(_dsn(orchard, "SOURCE"), autocommit=True) as shop:
        with pytest.raises(psycopg.Error) as fenced:
            shop.execute("UPDATE notifications_preference SET mail = NOT mail")
        assert "0002_notifications" in str(fenced.value), str(fenced.value)


class Buyer:
    """Somebody who orders one thing after the other, and remembers what was acknowledged."""

    def __init__(self, orchard):
        self.orchard = orchard
        self.person = orchard.person()
        self.orders = []
        self.failed = []

    def shop(self, stop):
        slugs = [product["slug"] for product in self.person.client.get("/api/products/").json()["results"]]
        while not stop.is_set():
            page = f"/products/{slugs[len(self.orders) % len(slugs)]}/"
            self.person.submit(f"{page}add/", {"quantity": 1}, page=page)
            answer = self.person.submit("/checkout/", {"address": "1 Orchard Lane"})
            found = re.search("/orders/([0-9a-f]{8})", answer.headers.get("location", ""))
            if found:
                self.orders.append(found[1].upper())
            else:
                self.failed.append(answer.status_code)
            stop.wait(0.3)
            while self.waiting() > MOST_WAITING and not stop.is_set():
                stop.wait(0.2)

    def waiting(self):
        """How many orders they have not been told of by mail."""
        return len(set(self.orders) - {subject[-8:] for subject in _mails(self.orchard, [self])})


@contextmanager
def _buying(orchard) -> Iterator[list[Buyer]]:
    stop, buyers = threading.Event(), [Buyer(orchard) for _ in range(BUYERS)]
    threads = [threading.Thread(target=buyer.shop, args=(stop,)) for buyer in buyers]
    for thread in threads:
        thread.start()
    try:
        yield buyers
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert [buyer.failed for buyer in buyers] == [[]] * BUYERS


def _come_again_soon(orchard):
    """What a killed consumer has taken, in 5 seconds instead of 30."""
    queue = orchard.system.instance.environment()["NOTIFICATIONS_QUEUE"]
    _sqs(orchard).set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "5"})


def _dead(orchard):
    """How many messages nobody could deal with."""
    queue, wanted = orchard.system.instance.environment()["NOTIFICATIONS_DEAD_QUEUE"], "ApproximateNumberOfMessages"
    return _sqs(orchard).get_queue_attributes(QueueUrl=queue, AttributeNames=[wanted])["Attributes"][wanted]


def _sqs(orchard):
    word = names.CREDENTIALS
    return boto3.client(
        "sqs",
        endpoint_url=orchard.url("aws"),
        region_name=names.REGION,
        aws_access_key_id=word,
        aws_secret_access_key=word,
    )


def _delete_in_the_admin(orchard, number):
    with httpx.Client(base_url=orchard.url(), timeout=30, trust_env=False) as admin:
        for path, form in (
            ("/admin/login/", {"username": "admin", "password": PASSWORD}),
            (f"/admin/accounts/user/{number}/delete/", {"post": "yes"}),
        ):
            admin.get(path)
            form["csrfmiddlewaretoken"] = admin.cookies["csrftoken"]
            assert admin.post(path, data=form, headers={"Referer": orchard.url() + path}).status_code == 302, path


def _kill(orchard, name):
    """kill -9, and started anew."""
    orchard.system.supervisor.kill(name)
    orchard.system.supervisor.start(orchard.system.process(name))


def _told_on_the_page(orchard, buyer):
    """Whether the profile shows an order placed from now on, wherever the notifications are."""
    wanted = f"Your order {_next_order(buyer)}"
    _until(lambda: wanted in buyer.person.client.get("/profile/").text, f'"{wanted}" on the page')
    return True


def _sent_by_the_service(orchard, buyer):
    """Wait until the service has sent what Orchard never had in its hands."""
    sent = "SELECT 1 FROM notifications_mail WHERE subject = %s AND state = 'sent'"
    wanted = f"Your order {_next_order(buyer)}"
    with psycopg.connect(_dsn(orchard, "NOTIFICATIONS"), autocommit=True) as service:
        _until(lambda: service.execute(sent, [wanted]).fetchone(), f'"{wanted}" sent by the service')


def _next_order(buyer):
    placed = len(buyer.orders)
    _until(lambda: len(buyer.orders) > placed, "an order")
    return buyer.orders[placed]


def _mails(orchard, buyers):
    """How often each mail came to them, by the mailbox: the outside's own count."""
    ours = [f"{buyer.person.name}@orchard.example" for buyer in buyers]
    return Counter(mail["subject"] for mail in orchard.mails() if mail["recipients"][0] in ours)


def _number(orchard, person):
    with psycopg.connect(_dsn(orchard, "SOURCE")) as shop:
        return shop.execute("SELECT id FROM accounts_user WHERE username = %s", [person.name]).fetchone()[0]


def _kept(orchard, person):
    return _rows(orchard, _number(orchard, person))


def _rows(orchard, number, side="NOTIFICATIONS"):
    """Of which tables there are rows about that person."""
    with psycopg.connect(_dsn(orchard, side)) as database:
        return {
            table
            for table in ("notification", "mail", "preference")
            if database.execute(f"SELECT 1 FROM notifications_{table} WHERE user_id = %s", [number]).fetchone()
        }


def _dsn(orchard, name):
    return orchard.system.instance.environment()[f"STRANGLER_{name}_DSN"]


def _until(holds, what):
    until = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < until, f"this did not come: {what}"
        time.sleep(0.1)
