"""Events in the transaction in which they happen, and on their way from there."""

import threading

import pytest
from django.db import connection, transaction
from django.utils import timezone

from monolith.notifications.models import Mail, Notification
from monolith.outbox.models import Event
from monolith.outbox.relay import KEPT, hand_over, relay_all, relay_once
from monolith.outbox.services import emit
from monolith.outbox.tasks import relay

TOPIC = "arn:aws:sns:eu-west-1:1:orchard-events.fifo"


class Took:
    """Who is handed events: keeps them, and does not take those of some subjects."""

    def __init__(self, *refused):
        self.events = []
        self._refused = refused

    def __call__(self, envelopes):
        taken = [told for told in envelopes if told["subject"] not in self._refused]
        self.events += [(told["subject"], told["data"]["n"]) for told in taken]
        return [told["event"] for told in taken]


@pytest.fixture
def topic(settings):
    """Nothing is handed over but by a relay."""
    settings.OUTBOX_TOPIC = TOPIC


def happen(subject, number):
    return emit(type="test.happened", version=1, subject=subject, data={"n": number})


def test_event_of_a_transaction_that_is_rolled_back_never_was(db, topic):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        happen("user:1", 1)
        raise ZeroDivisionError
    assert not Event.objects.exists()


def test_relay_keeps_the_order_of_a_subject_and_hands_each_event_on_once(db, topic):
    for number in range(1, 30):
        happen(f"user:{number % 2}", number)
    took = Took()
    assert relay_all(took) == 29
    for subject in ("user:0", "user:1"):
        numbers = [number for whose, number in took.events if whose == subject]
        assert numbers == sorted(numbers)
    assert relay_all(took) == 0
    assert len(took.events) == 29


def test_subjects_whose_events_are_refused_keep_nobody_else_from_being_told(db, topic):
    stuck = [f"user:{number}" for number in range(25)]
    for subject in [*stuck, *stuck, "user:100", "user:100"]:
        happen(subject, Event.objects.count())
    took = Took(*stuck)
    assert relay_all(took) == 2
    assert took.events == [("user:100", 50), ("user:100", 51)]
    assert relay_all(Took()) == 50


@pytest.mark.django_db(transaction=True)
def test_of_one_subject_only_the_oldest_is_on_its_way_in_whatever_process(topic):
    for subject, number in (("user:1", 1), ("user:1", 2), ("user:2", 3)):
        happen(subject, number)
    others = Took()

    def meanwhile(envelopes):
        beside = threading.Thread(target=in_a_process_of_its_own, args=[others])
        beside.start()
        beside.join()
        return [told["event"] for told in envelopes if told["subject"] == "user:1"]

    assert relay_once(meanwhile, subject="user:1") == (1, Event.objects.order_by("pk")[0].pk)
    assert others.events == [("user:2", 3)]
    assert relay_all(others) == 1
    assert others.events[-1] == ("user:1", 2)


def in_a_process_of_its_own(hand_on):
    try:
        relay_all(hand_on)
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_topic_that_is_away_leaves_everything_waiting(topic):
    happen("user:1", 1)

    def away(envelopes):
        raise ConnectionError

    with pytest.raises(ConnectionError):
        relay_all(away)
    assert Event.objects.filter(sent_at=None).count() == 1


def test_without_a_topic_the_person_is_told_when_the_transaction_has_committed(
    ada, mailoutbox, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        emit(type="account.registered", version=1, subject=f"user:{ada.pk}", data={"user_id": ada.pk})
        assert not Notification.objects.exists()
    assert Notification.objects.get().subject == "Welcome to Orchard"
    assert [mail.subject for mail in mailoutbox] == ["Welcome to Orchard"]
    assert Event.objects.get().sent_at is not None


def test_consumer_that_fails_does_not_fail_what_has_happened_and_is_asked_again(
    ada, settings, django_capture_on_commit_callbacks
):
    settings.NOTIFICATIONS_MOVED = f"{__name__}.elsewhere"
    with django_capture_on_commit_callbacks(execute=True):
        emit(type="account.registered", version=1, subject=f"user:{ada.pk}", data={"user_id": ada.pk})
    assert Event.objects.get().sent_at is None
    assert not Mail.objects.exists()
    settings.NOTIFICATIONS_MOVED = "monolith.reviews.flags.never"
    assert relay_all(hand_over) == 1
    assert Mail.objects.count() == 1


def test_task_hands_on_what_waits_and_forgets_what_was_handed_on_long_ago(ada, settings):
    settings.OUTBOX_TOPIC = TOPIC
    events = [
        emit(type="order.shipped", version=1, subject=f"user:{ada.pk}", data={"user_id": ada.pk, "order": "1"})
        for _ in range(3)
    ]
    settings.OUTBOX_TOPIC = ""
    long_ago = timezone.now() - 2 * KEPT
    Event.objects.filter(pk=events[0].pk).update(sent_at=long_ago, at=long_ago)
    Event.objects.filter(pk=events[1].pk).update(at=long_ago)
    assert relay() == 2
    assert list(Event.objects.values_list("pk", flat=True)) == [events[1].pk, events[2].pk]
    assert Notification.objects.count() == 2


def elsewhere(service):
    return service == "notifications"
