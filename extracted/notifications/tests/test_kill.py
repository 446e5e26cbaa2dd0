"""kill -9 at every boundary: each event gives exactly one mail, as a journal outside of the killed counts them."""

import itertools
from collections import Counter
from datetime import timedelta

import pytest
from conftest import an_event
from django.utils import timezone
from dying import dies_at
from loopback import Sent
from notifications_service.notifications import feedback, inbox, sending
from notifications_service.notifications.consuming import take
from notifications_service.notifications.models import Mail

pytestmark = pytest.mark.django_db(transaction=True)


def send_all():
    while sending.send_next():
        pass


def test_a_consumer_that_is_killed_anywhere_leaves_one_mail_an_event(aws, people):
    for number in itertools.count(1):
        aws.publish(an_event(data={"user_id": 7, "order": str(number), "total": "1"}))
        died = dies_at(number, lambda: take(aws.queue, inbox.handle))
        aws.make_visible()
        while sum(aws.counts(aws.queue)):
            take(aws.queue, inbox.handle)
        send_all()
        if not died:
            break
    assert number > 12
    assert Counter(sent.subject for sent in aws.journal) == {f"Your order {n}": 1 for n in range(1, number + 1)}
    assert aws.counts(aws.dead) == (0, 0)


def test_a_sender_that_is_killed_anywhere_leaves_one_mail_sent(aws):
    unknown = 0
    for number in itertools.count(1):
        Mail.objects.create(recipient="a@example.org", subject=str(number), body="B")
        died = dies_at(number, sending.send_next)
        unknown += Mail.objects.filter(state="sending").count()
        for sent in aws.journal:
            feedback.handle(sent.event())
        Mail.objects.filter(state="sending").update(claimed_at=timezone.now() - timedelta(hours=1))
        sending.queue_what_stayed_unknown(hear=lambda: True)
        send_all()
        if not died:
            break
    assert number > 8
    assert unknown > 3
    assert Counter(sent.subject for sent in aws.journal) == {str(n): 1 for n in range(1, number + 1)}
    assert set(Mail.objects.values_list("state", flat=True)) == {"sent"}


def test_a_consumer_of_feedback_that_is_killed_anywhere_leaves_every_mail_settled(aws):
    for number in itertools.count(1):
        address = f"{number}@example.org"
        mail = Mail.objects.create(recipient=address, subject="S", body="B", state="sending", attempts=1)
        tags = {"mail": str(mail.pk), "attempt": "1"}
        sent = Sent(message_id="m", recipient=address, subject="S", body="B", tags=tags)
        aws.sqs.send_message(QueueUrl=aws.feedback.url, MessageBody=sent.event())
        died = dies_at(number, lambda: take(aws.feedback, feedback.handle))
        aws.make_visible()
        while sum(aws.counts(aws.feedback)):
            take(aws.feedback, feedback.handle)
        if not died:
            break
    assert number > 5
    assert set(Mail.objects.values_list("state", flat=True)) == {"sent"}


def test_without_ses_own_word_a_killed_sender_sends_twice(aws):
    """What the events are for: the case above goes wrong without them."""
    for number in itertools.count(1):
        Mail.objects.create(recipient="a@example.org", subject=str(number), body="B")
        assert dies_at(number, sending.send_next)
        Mail.objects.filter(state="sending").update(claimed_at=timezone.now() - timedelta(hours=1))
        sending.queue_what_stayed_unknown(hear=lambda: True)
        send_all()
        if len(aws.journal) > number:
            break
    assert Counter(sent.subject for sent in aws.journal)[str(number)] == 2
