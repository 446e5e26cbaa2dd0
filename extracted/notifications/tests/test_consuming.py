import json
import threading

import pytest
from conftest import MOVE, an_event, fenced
from django.db import OperationalError
from notifications_service.notifications import inbox
from notifications_service.notifications.consuming import consume, take
from notifications_service.notifications.models import Mail, Notification, Received
from notifications_service.tracing import JsonFormatter

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_is_done_is_deleted(aws, people):
    aws.publish(an_event())
    aws.publish(an_event("cart.filled"))
    assert take(aws.queue, inbox.handle) == 2
    assert aws.counts(aws.queue) == (0, 0)
    assert Mail.objects.count() == 1


def test_a_message_that_sns_has_put_into_an_envelope_is_the_same(aws, people):
    event = an_event()
    aws.publish({"Type": "Notification", "TopicArn": "arn:aws:sns:x", "Message": json.dumps(event)})
    aws.publish(event)
    assert take(aws.queue, inbox.handle) == 2
    assert Mail.objects.count() == 1


@pytest.mark.parametrize("body", ["{", "[]", an_event(version=2), an_event(data={"user_id": 7})])
def test_what_nobody_can_deal_with_is_parked_with_its_reason_and_nobody_waits_for_it(aws, people, body):
    aws.publish(body)
    aws.publish(an_event("order.shipped"))
    assert take(aws.queue, inbox.handle) == 2
    assert aws.counts(aws.queue) == (0, 0)
    (parked,) = aws.dead.receive()
    assert (parked.body, parked.group) == (body if isinstance(body, str) else json.dumps(body), "user:7")
    assert parked.why
    assert Mail.objects.get().subject == "Order A17 is on its way"


def test_an_unknown_user_holds_up_their_own_messages_alone(aws, people):
    aws.publish(an_event(user=99), group="user:99")
    aws.publish(an_event("order.shipped", user=99), group="user:99")
    aws.publish(an_event(user=8), group="user:8")
    assert take(aws.queue, inbox.handle) == 1
    assert sum(aws.counts(aws.queue)) == 2
    assert [mail.user_id for mail in Mail.objects.all()] == [8]


def test_a_refused_write_leaves_the_message_in_the_queue(aws, people):
    aws.publish(an_event())
    with fenced("notifications_received"):
        assert take(aws.queue, inbox.handle) == 0
    assert (sum(aws.counts(aws.queue)), aws.counts(aws.dead)) == (1, (0, 0))
    assert not Received.objects.exists()


def test_a_fence_on_one_table_lets_nothing_of_the_event_through(aws, people):
    aws.publish(an_event())
    with fenced("notifications_mail"):
        assert take(aws.queue, inbox.handle) == 0
    assert not Received.objects.exists()
    assert not Notification.objects.exists()


def test_a_handler_that_fails_leaves_the_message_until_the_queue_parks_it(aws):
    def fail(_):
        raise RuntimeError("a bug")

    aws.publish(an_event())
    for _ in range(3):  # as often as the queue gives it out
        assert take(aws.queue, fail) == 0
        aws.make_visible()
    assert take(aws.queue, fail) == 0
    assert (sum(aws.counts(aws.queue)), aws.counts(aws.dead)) == (0, (1, 0))


def test_what_stays_and_what_is_parked_is_in_the_log_with_its_reason(aws, people, caplog):
    aws.publish(an_event(user=99), group="user:99")
    aws.publish(an_event(version=2))
    take(aws.queue, inbox.handle)
    lines = [json.loads(JsonFormatter().format(record)) for record in caplog.records]
    said = {line["message"]: line for line in lines if "message_id" in line}
    assert "user 99, who is not known here" in said["left in the queue"]["reason"]
    assert (said["left in the queue"]["level"], said["left in the queue"]["receives"]) == ("INFO", 1)
    assert "version 2" in said["parked in the dead-letter queue"]["reason"]


def test_a_database_that_is_away_stops_the_taking(aws):
    def away(_):
        raise OperationalError("away")

    aws.publish(an_event(), group="user:7")
    aws.publish(an_event(), group="user:8")
    with pytest.raises(OperationalError):
        take(aws.queue, away)
    assert sum(aws.counts(aws.queue)) == 2


def test_nothing_is_taken_while_another_database_owns_the_tables(aws, people, settings, ownership):
    settings.MOVE = MOVE
    stopping, seen = threading.Event(), []

    def handle(body):
        seen.append(body)
        stopping.set()

    ownership(owns=False)
    aws.publish(an_event())
    threading.Timer(0.3, stopping.set).start()
    consume(aws.queue, handle, stopping=stopping)
    assert (seen, aws.counts(aws.queue)) == ([], (1, 0))
    ownership(owns=True)
    stopping.clear()
    consume(aws.queue, handle, stopping=stopping)
    assert (len(seen), aws.counts(aws.queue)) == (1, (0, 0))


def test_a_database_that_was_away_is_asked_again(aws):
    stopping = threading.Event()
    aws.publish(an_event())
    away = iter([OperationalError("away")])

    def handle(_):
        for trouble in away:
            raise trouble
        stopping.set()

    consume(aws.queue, handle, stopping=stopping)
    assert aws.counts(aws.queue) == (0, 0)
