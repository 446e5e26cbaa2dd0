"""From the outbox over SNS and SQS to the person, with boto3 against moto: no message is lost, none counts twice."""

import json
from io import StringIO
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection
from moto import mock_aws

from monolith import aws
from monolith.notifications import receiving
from monolith.notifications.consuming import consume
from monolith.notifications.events import KNOWN
from monolith.notifications.feedback import take_feedback
from monolith.notifications.models import Mail, Notification, Suppression
from monolith.notifications.queue import Queue
from monolith.notifications.receiving import take_one
from monolith.notifications.sending import send_queued
from monolith.notifications.ses import Ses
from monolith.outbox.relay import relay_all
from monolith.outbox.services import emit
from monolith.outbox.sns import Topic
from tests.unit.monolith.told import placed

FIFO = {"FifoQueue": "true", "VisibilityTimeout": "30"}
MOST_RECEIVES = 3


@pytest.fixture(scope="module")
def clients():
    """Of SNS, SQS and SES, which are moto's."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        aws.client.cache_clear()
        ses = aws.client("sesv2")
        ses.create_email_identity(EmailIdentity="orchard.example")
        ses.create_configuration_set(ConfigurationSetName="orchard")
        yield aws.client("sns"), aws.client("sqs"), ses
    aws.client.cache_clear()


@pytest.fixture
def cloud(clients, monkeypatch, settings):
    """A topic, its queue, the dead-letter queue behind it, and the queue of what SES tells; new ones."""
    # What failed comes again at once.
    monkeypatch.setattr(receiving, "PAUSE", 0)
    sns, sqs, ses = clients
    topic = sns.create_topic(Name=f"{uuid4()}.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    dead = sqs.create_queue(QueueName=f"{uuid4()}.fifo", Attributes=FIFO)["QueueUrl"]
    redrive = {"deadLetterTargetArn": arn(sqs, dead), "maxReceiveCount": MOST_RECEIVES}
    queue = sqs.create_queue(QueueName=f"{uuid4()}.fifo", Attributes=FIFO | {"RedrivePolicy": json.dumps(redrive)})[
        "QueueUrl"
    ]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn(sqs, queue), Attributes={"RawMessageDelivery": "true"})
    feedback = sqs.create_queue(QueueName=str(uuid4()))["QueueUrl"]
    settings.OUTBOX_TOPIC = topic
    settings.NOTIFICATIONS_QUEUE, settings.NOTIFICATIONS_DEAD_QUEUE = queue, dead
    return SimpleNamespace(
        topic=Topic(topic, sns),
        queue=Queue(queue, sqs),
        dead=Queue(dead, sqs),
        feedback=Queue(feedback, sqs),
        feedback_url=feedback,
        ses=ses,
        sqs=sqs,
    )


def arn(sqs, url):
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def order(user, number, version=1):
    data = {"user_id": user.pk, "order": f"{number:08X}", "total": "€ 1"}
    return emit(type="order.placed", version=version, subject=f"user:{user.pk}", data=data)


def consume_all(cloud, handle=consume):
    taken = 0
    while take_one(cloud.queue, handle, dead=cloud.dead, wait=0):
        taken += 1
        assert taken < 100
    return taken


def said(*arguments):
    out = StringIO()
    call_command("deadletters", *arguments, stdout=out)
    return out.getvalue()


def test_orders_reach_their_people_in_order_over_topic_and_queue(ada, ben, cloud):
    for number in range(12):
        order((ada, ben)[number % 2], number)
    assert relay_all(cloud.topic) == 12
    assert consume_all(cloud) == 12
    subjects = list(Mail.objects.filter(user_id=ada.pk).order_by("pk").values_list("subject", flat=True))
    assert subjects == [f"Your order {number:08X}" for number in range(0, 12, 2)]
    assert Mail.objects.filter(user_id=ben.pk).count() == 6


def test_event_that_is_published_again_after_the_topic_forgot_it_counts_once(ada, cloud):
    event = order(ada, 1)
    relay_all(cloud.topic)
    for number in range(2):
        again = {"body": json.dumps(placed(ada, event=event.event)), "group": f"user:{number}"}
        cloud.queue.send(SimpleNamespace(**again))
    assert consume_all(cloud) == 3
    assert Mail.objects.count() == 1


def test_consumer_killed_before_it_deleted_the_message_has_it_again_and_nothing_changes(ada, cloud):
    order(ada, 1)
    relay_all(cloud.topic)

    def die_afterwards(told):
        consume(told)
        raise KeyboardInterrupt

    watched = Watched(cloud.queue)
    with pytest.raises(KeyboardInterrupt):
        take_one(watched, die_afterwards, wait=0)
    # The time passes in which it is hidden.
    cloud.queue.give_back(watched.received[0], seconds=0)
    assert consume_all(cloud) == 1
    assert Mail.objects.count() == 1


class Watched:
    """A queue, and what was received from it."""

    def __init__(self, queue):
        self._queue = queue
        self.received = []

    def receive(self, *, wait):
        self.received += self._queue.receive(wait=wait)
        return self.received


def test_later_version_is_parked_with_its_reason_and_can_be_put_back(ada, cloud, monkeypatch):
    parked, known = order(ada, 1, version=2), order(ada, 2)
    relay_all(cloud.topic)
    consume_all(cloud)
    assert list(Mail.objects.values_list("subject", flat=True)) == ["Your order 00000002"]
    assert f"{parked.event}  order.placed v2 of user:{ada.pk}" in said("list")
    assert 'version 2 of "order.placed" is not known' in said("list")
    assert json.loads(said("show", str(parked.event)))["data"]["order"] == "00000001"
    with pytest.raises(CommandError, match=f'No message of event "{known.event}"'):
        said("show", str(known.event))
    # Parked once more at once: nothing takes the second time for the first and loses it.
    for _ in range(2):
        assert said("redrive", str(parked.event)) == "1 put back\n"
        consume_all(cloud)
        assert "1 in the dead-letter queue" in said("list")
    monkeypatch.setitem(KNOWN, "order.placed", 2)
    assert said("redrive") == "1 put back\n"
    consume_all(cloud)
    assert Mail.objects.count() == 2
    assert said("list") == "0 in the dead-letter queue\n"


def test_poison_goes_to_the_dead_letter_queue_after_some_receives_and_keeps_nobody_else_waiting(ada, ben, cloud):
    poison = emit(type="order.placed", version=1, subject=f"user:{ada.pk}", data={"user_id": ada.pk})
    order(ada, 2)
    order(ben, 3)
    relay_all(cloud.topic)
    consume_all(cloud)
    assert set(Mail.objects.values_list("subject", flat=True)) == {"Your order 00000002", "Your order 00000003"}
    assert str(poison.event) in said("list")
    assert said("list").endswith("1 in the dead-letter queue\n")


def test_message_that_is_no_json_is_shown_as_it_is_and_ends_in_the_dead_letter_queue(db, cloud):
    cloud.queue.send(SimpleNamespace(body="not json", group="user:1"))
    consume_all(cloud)
    assert "no event v? of user:1" in said("list")
    assert not Notification.objects.exists()


def elsewhere(service):
    return service == "notifications"


def test_nothing_is_received_while_the_notifications_are_elsewhere(ada, cloud, settings):
    order(ada, 1)
    relay_all(cloud.topic)
    settings.NOTIFICATIONS_MOVED = f"{__name__}.elsewhere"
    assert consume_all(cloud) == 0
    settings.NOTIFICATIONS_MOVED = "monolith.reviews.flags.never"
    assert consume_all(cloud) == 1
    assert Mail.objects.count() == 1


_FENCE = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'move "0002_notifications" is owned elsewhere (term 3)' USING ERRCODE = 'SF001';
    END $$;
    CREATE TRIGGER refuse BEFORE INSERT OR UPDATE OR DELETE ON {0} FOR EACH STATEMENT EXECUTE FUNCTION refuse();
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", ["notifications_received", "notifications_mail"])
def test_write_that_the_fence_refuses_leaves_the_message_in_the_queue(ada, cloud, table):
    order(ada, 1)
    relay_all(cloud.topic)
    with connection.cursor() as cursor:
        cursor.execute(_FENCE.format(table))
    try:
        assert take_one(cloud.queue, consume, dead=cloud.dead, wait=0) == 1
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION refuse() CASCADE")
    assert not Notification.objects.exists()
    assert consume_all(cloud) == 1
    assert Mail.objects.count() == 1


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["deadletters", "list"], "NOTIFICATIONS_DEAD_QUEUE"),
        (["consume_events"], "NOTIFICATIONS_QUEUE"),
        (["consume_feedback"], "NOTIFICATIONS_FEEDBACK_QUEUE"),
    ],
)
def test_queue_that_nobody_named_is_said_before_anything_happens(settings, command, name):
    for setting in ("NOTIFICATIONS_QUEUE", "NOTIFICATIONS_DEAD_QUEUE", "NOTIFICATIONS_FEEDBACK_QUEUE"):
        setattr(settings, setting, "")
    with pytest.raises(ImproperlyConfigured, match=f'"{name}" is not set'):
        call_command(*command)


def test_mail_goes_to_ses_with_its_tags_and_bears_its_id(ada, cloud):
    order(ada, 1)
    relay_all(cloud.topic)
    consume_all(cloud)
    ses = Ses(cloud.ses, sender="Orchard <shop@orchard.example>", configuration_set="orchard")
    assert send_queued(by=ses) == 1
    mail = Mail.objects.get()
    assert (mail.state, bool(mail.message_id)) == (Mail.State.SENT, True)


def test_complaint_comes_by_its_queue(db, cloud):
    complaint = {
        "eventType": "Complaint",
        "mail": {"messageId": "1", "tags": {}},
        "complaint": {"complainedRecipients": [{"emailAddress": "ada@orchard.example"}]},
    }
    cloud.sqs.send_message(QueueUrl=cloud.feedback_url, MessageBody=json.dumps(complaint))
    assert take_one(cloud.feedback, take_feedback, wait=0) == 1
    assert take_one(cloud.feedback, take_feedback, wait=0) == 0
    assert Suppression.objects.get().address == "ada@orchard.example"
