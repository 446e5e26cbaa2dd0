"""Relay, consumer and sender killed at each boundary: what they do outside is kept in a journal, and counted."""

import json
import multiprocessing
import os
import signal
from collections import Counter
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.utils import timezone

from monolith.accounts.models import User
from monolith.notifications.consuming import consume
from monolith.notifications.feedback import take_feedback
from monolith.notifications.models import Mail, Notification
from monolith.notifications.sending import UNKNOWN_FOR, claim, hand_over, send_queued
from monolith.outbox.models import Event
from monolith.outbox.relay import envelope, relay_all
from monolith.outbox.services import emit

pytestmark = pytest.mark.django_db(transaction=True)

ORDERS = 5


@pytest.fixture(autouse=True)
def here(settings):
    settings.NOTIFICATIONS_MOVED = "monolith.reviews.flags.never"
    settings.OUTBOX_TOPIC = "arn:aws:sns:eu-west-1:1:orchard-events.fifo"


@pytest.fixture
def ada():
    return User.objects.create(username="ada", email="ada@orchard.example")


@pytest.fixture
def placed(ada):
    """Some orders' events, two of which follow on another of the same person."""
    ben = User.objects.create(username="ben", email="ben@orchard.example")
    for number in range(ORDERS):
        whose = (ada, ben)[number % 2]
        data = {"user_id": whose.pk, "order": f"{number:08X}", "total": "€ 1"}
        emit(type="order.placed", version=1, subject=f"user:{whose.pk}", data=data)


class Journal:
    """What has left the process: lines of a file, which outlives it."""

    def __init__(self, path: Path):
        self._path = path

    def write(self, value):
        with self._path.open("a") as out:
            out.write(json.dumps(value) + "\n")

    def lines(self):
        return [json.loads(line) for line in self._path.read_text().splitlines()] if self._path.exists() else []


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "journal.jsonl")


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def killed(act):
    """Do it in a process of its own, which must be killed over it."""
    connection.close()  # a connection is not for two processes
    process = multiprocessing.get_context("fork").Process(target=act)
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


def publishing(journal, *, dies_after=None):
    """A topic that the journal is, and that kills whoever publishes after so many events."""

    def publish(envelopes):
        for told in envelopes:
            if dies_after == len(journal.lines()):
                die()
            journal.write(told)
        if dies_after == len(journal.lines()):
            die()
        return [told["event"] for told in envelopes]

    return publish


@pytest.mark.parametrize("dies_after", [0, 1, 2, 3, ORDERS])
def test_relay_killed_before_amid_or_after_publishing_tells_each_person_of_each_order_once(placed, journal, dies_after):
    killed(lambda: relay_all(publishing(journal, dies_after=dies_after)))
    assert len(journal.lines()) == dies_after
    assert relay_all(publishing(journal)) == Event.objects.count() - _marked_before(dies_after)
    for told in journal.lines():
        consume(told)
    assert Counter(Mail.objects.values_list("subject", flat=True)) == {
        f"Your order {number:08X}": 1 for number in range(ORDERS)
    }
    assert not Event.objects.filter(sent_at=None).exists()
    _assert_in_order(journal.lines())


def _marked_before(published):
    """Each transaction takes the oldest event of both persons; the one that was cut off has marked nothing."""
    return max(published - 1, 0) // 2 * 2


def _assert_in_order(lines):
    for subject in {told["subject"] for told in lines}:
        first_seen = list(dict.fromkeys(told["data"]["order"] for told in lines if told["subject"] == subject))
        assert first_seen == sorted(first_seen)


@pytest.mark.parametrize("committed", [False, True])
def test_consumer_killed_before_or_after_its_commit_has_the_event_again_and_tells_once(ada, committed):
    event = emit(type="account.registered", version=1, subject=f"user:{ada.pk}", data={"user_id": ada.pk})
    told = envelope(event)

    def take():
        if committed:
            consume(told)
            die()
        with transaction.atomic():
            consume(told)
            die()

    killed(take)
    assert Notification.objects.count() == committed
    consume(told)
    assert (Notification.objects.count(), Mail.objects.count()) == (1, 1)


class Post:
    """Who sends mails, and notes it in the journal; kills its sender before or after."""

    def __init__(self, journal, dies=None):
        self._journal = journal
        self._dies = dies

    def send(self, mail):
        if self._dies == "before it is sent":
            die()
        self._journal.write({"mail": mail.pk, "attempt": mail.attempts})
        if self._dies == "after it is sent":
            die()
        return f"ses-{mail.pk}"


def claimed_only(journal):
    claim(Mail.objects.all())
    die()


def amid(journal, boundary):
    send_queued(by=Post(journal, boundary))


def settled_only(journal):
    hand_over(claim(Mail.objects.all()), Post(journal))
    die()


@pytest.mark.parametrize(
    "boundary", ["after the claim", "before it is sent", "after it is sent", "after it is written down"]
)
def test_sender_killed_at_each_boundary_sends_each_mail_once(db, journal, boundary):
    mail = Mail.objects.create(recipient="ada@orchard.example", subject="Your order", body="It is here.")
    acts = {"after the claim": claimed_only, "after it is written down": settled_only}
    act = acts.get(boundary, lambda journal: amid(journal, boundary))
    killed(lambda: act(journal))
    assert send_queued(by=Post(journal)) == 0, "sent again before anybody could say whether it had been"
    for line in journal.lines():
        tags = {"mail": [str(line["mail"])], "attempt": [str(line["attempt"])]}
        take_feedback({"eventType": "Send", "mail": {"messageId": "ses-1", "tags": tags}})
    Mail.objects.filter(state=Mail.State.SENDING).update(claimed_at=timezone.now() - 2 * UNKNOWN_FOR)
    send_queued(by=Post(journal))
    mail.refresh_from_db()
    assert (mail.state, [line["mail"] for line in journal.lines()]) == (Mail.State.SENT, [mail.pk])
