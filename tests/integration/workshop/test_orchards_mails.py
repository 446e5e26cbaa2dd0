"""From an order to the mailbox over the AWS on loopback, whoever is killed and whatever is cut off on the way."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest
from django.db import connection
from django.utils import timezone

from monolith import aws as clients
from monolith.accounts.models import User
from monolith.notifications.consuming import consume
from monolith.notifications.feedback import take_feedback
from monolith.notifications.models import Mail, Suppression
from monolith.notifications.queue import Queue
from monolith.notifications.receiving import take_one
from monolith.notifications.sending import send_queued
from monolith.outbox.destination import destination
from monolith.outbox.models import Event
from monolith.outbox.relay import relay_all
from monolith.outbox.services import emit
from strangler.workshop.instance import ROOT

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 90
HERE = "monolith.reviews.flags.never"


@pytest.fixture
def orchard(aws, settings, monkeypatch):
    """This process as one of Orchard's that knows of the AWS."""
    for name, value in aws.environment.items():
        monkeypatch.setenv(name, value)
        if name.startswith("NOTIFICATIONS_"):
            setattr(settings, name, value)
    settings.OUTBOX_TOPIC = aws.environment["ORCHARD_EVENTS_TOPIC"]
    settings.NOTIFICATIONS_MOVED = HERE
    queue = aws.environment["NOTIFICATIONS_QUEUE"]
    while aws.bodies(queue):
        pass
    # What a killed consumer has taken comes again soon.
    aws.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "2"})
    clients.client.cache_clear()
    yield
    clients.client.cache_clear()
    aws.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "30"})


@pytest.fixture
def start(aws, tmp_path):
    """Start a command of Orchard's in a process of its own, which ends with the test."""
    given = connection.settings_dict
    url = f"postgresql://{given['USER']}:{given['PASSWORD']}@{given['HOST']}:{given['PORT']}/{given['NAME']}"
    environment = {
        **os.environ,
        **aws.environment,
        "PYTHONPATH": f"{ROOT}:{ROOT / 'proxy'}",
        "ORCHARD_DATABASE_URL": url,
        "ORCHARD_DEBUG": "1",
        "ORCHARD_NOTIFICATIONS_MOVED": HERE,
    }
    started = []

    def begin(command):
        with (tmp_path / f"{command}.log").open("ab") as log:
            started.append(
                subprocess.Popen(
                    [sys.executable, "manage.py", command], cwd=ROOT, env=environment, stdout=log, stderr=log
                )
            )
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait()


def people(*names):
    return [User.objects.create(username=name, email=f"{name}@orchard.example") for name in names]


def order(user, number):
    data = {"user_id": user.pk, "order": f"{number:08X}", "total": "€ 1"}
    emit(type="order.placed", version=1, subject=f"user:{user.pk}", data=data)


def a_mail(to="ada@orchard.example"):
    return Mail.objects.create(recipient=to, subject="Your order", body="It is here.")


def until(happened):
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.1)


def hear(aws):
    """Take all that SES has told."""
    queue = Queue(aws.environment["NOTIFICATIONS_FEEDBACK_QUEUE"], aws.sqs)
    while take_one(queue, take_feedback, wait=0):
        pass


def test_each_order_is_one_mail_when_relay_and_consumer_are_killed(orchard, aws, start):
    ada, ben = people("ada", "ben")
    before = len(aws.mails())
    for number in range(10):
        order((ada, ben)[number % 2], number)
    first = [start("relay_events"), start("consume_events")]
    until(lambda: Event.objects.exclude(sent_at=None).exists())
    first[0].kill()
    until(Mail.objects.exists)
    first[1].kill()
    for number in range(10, 20):
        order((ada, ben)[number % 2], number)
    relay, consumer = start("relay_events"), start("consume_events")
    until(lambda: Mail.objects.count() == 20)
    assert send_queued() == 20
    sent = aws.mails()[before:]
    assert Counter(mail["subject"] for mail in sent) == {f"Your order {number:08X}": 1 for number in range(20)}
    assert list(Mail.objects.filter(user_id=ada.pk).order_by("pk").values_list("subject", flat=True)) == [
        f"Your order {number:08X}" for number in range(0, 20, 2)
    ]
    for process in (relay, consumer):
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0


def test_mails_whose_answers_are_lost_are_settled_by_what_ses_tells(orchard, aws):
    before = len(aws.mails())
    for _ in range(3):
        a_mail()
    aws.behave("ses", lost=True, times=3)
    assert send_queued() == 0
    assert set(Mail.objects.values_list("state", flat=True)) == {Mail.State.SENDING}
    hear(aws)
    assert set(Mail.objects.values_list("state", flat=True)) == {Mail.State.SENT}
    assert send_queued() == 0
    sent = aws.mails()[before:]
    assert sorted(mail["message_id"] for mail in sent) == sorted(Mail.objects.values_list("message_id", flat=True))


def test_nothing_is_lost_while_topic_and_ses_are_away(orchard, aws):
    (ada,) = people("ada")
    before = len(aws.mails())
    aws.behave("sns", status=503)
    order(ada, 1)
    with pytest.raises(clients.client("sns").exceptions.ClientError, match="503"):
        relay_all(destination())
    order(ada, 2)
    aws.behave("sns")
    assert relay_all(destination()) == 2
    queue = Queue(aws.environment["NOTIFICATIONS_QUEUE"], aws.sqs)
    while take_one(queue, consume, wait=0):
        pass
    aws.behave("ses", status=503)
    assert send_queued() == 0
    aws.behave("ses")
    Mail.objects.update(next_try_at=timezone.now())
    assert send_queued() == 2
    assert Counter(mail["subject"] for mail in aws.mails()[before:]) == {
        "Your order 00000001": 1,
        "Your order 00000002": 1,
    }


def test_address_whose_mail_came_back_is_written_to_no_more(orchard, aws):
    before = len(aws.mails())
    a_mail("bounce@simulator.amazonses.com")
    assert send_queued() == 1
    hear(aws)
    assert Suppression.objects.get().address == "bounce@simulator.amazonses.com"
    second = a_mail("Bounce@simulator.amazonses.com")
    assert send_queued() == 0
    second.refresh_from_db()
    assert (second.state, len(aws.mails())) == (Mail.State.SUPPRESSED, before + 1)
