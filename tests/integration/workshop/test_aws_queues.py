"""Topics and queues of the AWS on loopback: order, duplicates, dead letters, and what moto alone would lose."""

import json
import socket
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from strangler.workshop.aws.arrangement import arrange


@pytest.fixture
def events(aws):
    """The queue of Orchard's events, empty after the test."""
    url = aws.environment["NOTIFICATIONS_QUEUE"]
    yield url
    while aws.bodies(url):
        pass


def publish(aws, body, group, event=None):
    aws.sns.publish(
        TopicArn=aws.environment["ORCHARD_EVENTS_TOPIC"],
        Message=body,
        MessageGroupId=group,
        MessageDeduplicationId=event or uuid.uuid4().hex,
    )


def test_an_event_comes_as_it_was_published(aws, events):
    body = json.dumps({"event": "1", "data": {"name": "Zoë"}})
    publish(aws, body, "user:1")
    assert aws.bodies(events) == [body]


def test_an_event_that_is_published_again_comes_once(aws, events):
    for _ in range(3):
        publish(aws, "one", "user:1", event="the-same")
    assert aws.bodies(events) == ["one"]


def test_of_a_group_the_next_comes_only_after_the_first_is_done_and_other_groups_go_on(aws, events):
    for body, group in (("a1", "user:1"), ("a2", "user:1"), ("b1", "user:2")):
        publish(aws, body, group)
    [first] = aws.sqs.receive_message(QueueUrl=events, MaxNumberOfMessages=1)["Messages"]
    assert first["Body"] == "a1"
    assert aws.bodies(events) == ["b1"]
    aws.sqs.delete_message(QueueUrl=events, ReceiptHandle=first["ReceiptHandle"])
    assert aws.bodies(events) == ["a2"]


def test_what_is_received_too_often_is_dead_and_its_group_goes_on(aws, events):
    publish(aws, "poison", "user:1")
    publish(aws, "good", "user:1")
    for _ in range(5):
        [taken] = aws.sqs.receive_message(QueueUrl=events, VisibilityTimeout=0, MaxNumberOfMessages=1)["Messages"]
        assert taken["Body"] == "poison"
    assert aws.bodies(events) == ["good"]
    assert aws.bodies(aws.environment["NOTIFICATIONS_DEAD_QUEUE"]) == ["poison"]


def test_arranging_it_again_changes_nothing(aws, events):
    publish(aws, "kept", "user:1")
    arrange(aws.url)
    publish(aws, "next", "user:2")
    assert aws.bodies(events) == ["kept", "next"]
    aws.send()
    assert [event["eventType"] for event in aws.feedback()] == ["Send", "Delivery"]


def test_whoever_waits_for_a_message_gets_it_as_soon_as_it_is_there_and_holds_nobody_up(aws):
    url = aws.queue()
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(aws.bodies, url, wait=1)
        aws.sqs.send_message(QueueUrl=url, MessageBody="late")
        assert waiting.result() == ["late"]
    assert aws.bodies(url, wait=1) == []


def test_whoever_has_gone_while_waiting_takes_no_message_along(aws):
    url = aws.queue()
    host, port = aws.url.removeprefix("http://").split(":")
    body = json.dumps({"QueueUrl": url, "WaitTimeSeconds": 20}).encode()
    with socket.create_connection((host, int(port))) as gone:
        gone.sendall(
            b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\n"
            b"Content-Type: application/x-amz-json-1.0\r\n"
            b"Authorization: AWS4-HMAC-SHA256 Credential=a/20260101/eu-central-1/sqs/aws4_request, x\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        # Long enough for the server to wait for it.
        time.sleep(0.3)
    aws.sqs.send_message(QueueUrl=url, MessageBody="mine")
    # Long enough for it to be handed to whoever waited.
    time.sleep(0.7)
    assert aws.bodies(url) == ["mine"]


def test_many_at_once_lose_nothing_and_nobody_gets_what_another_one_has(aws):
    url = aws.queue()
    senders, each, taken, lock = 3, 25, [], threading.Lock()
    sent = {f"{sender}-{number}" for sender in range(senders) for number in range(each)}

    def send(sender):
        sqs = aws.client("sqs")
        for number in range(each):
            sqs.send_message(QueueUrl=url, MessageBody=f"{sender}-{number}")

    def take(_):
        sqs = aws.client("sqs")
        while len(taken) < len(sent):
            messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
            if not messages:
                return
            for message in messages:
                with lock:
                    taken.append(message["Body"])
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    with ThreadPoolExecutor(8) as pool:
        for done in [*pool.map(send, range(senders)), *pool.map(take, range(4))]:
            assert done is None
    assert sorted(taken) == sorted(sent)


@pytest.mark.parametrize("service", ["sns", "sqs"])
def test_a_service_that_is_told_to_fail_does_nothing(aws, events, service):
    aws.behave(service, status=503, times=1)
    call = aws.sqs.list_queues if service == "sqs" else aws.sns.list_topics
    with pytest.raises(aws.sns.exceptions.ClientError, match="503"):
        call()
    call()


def test_an_event_whose_publication_was_not_answered_is_published_all_the_same(aws, events):
    aws.behave("sns", lost=True, times=1)
    with pytest.raises(Exception, match="closed"):
        publish(aws, "unanswered", "user:1", event="e1")
    publish(aws, "unanswered", "user:1", event="e1")
    assert aws.bodies(events) == ["unanswered"]
