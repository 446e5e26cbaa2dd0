"""SQS queues. Where they are, and as whom we ask, is told by AWS's own environment variables alone."""

import json
from dataclasses import dataclass
from functools import lru_cache

import boto3
from botocore.config import Config

BATCH = 10
_LONGEST_REASON = 250


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message that was received, and is invisible to others for a while."""

    id: str
    body: str
    handle: str
    group: str
    receives: int
    sent_at: float  # seconds since 1970
    why: str  # it was parked; empty where it was not


class Queue:
    """A queue by its URL, FIFO or not, and the one for what nobody can deal with."""

    def __init__(self, url, *, dead=""):
        self.url = url
        self._dead = dead
        self._sqs = _client()

    def receive(self, *, wait=0, invisible=None):
        """Up to BATCH messages, those of one group in their order; [] where none came within `wait` seconds."""
        lease = {} if invisible is None else {"VisibilityTimeout": invisible}
        answer = self._sqs.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=BATCH,
            WaitTimeSeconds=wait,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["why"],
            **lease,
        )
        return [_message(found) for found in answer.get("Messages", [])]

    def delete(self, message):
        self._sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message.handle)

    def leave(self, message, *, seconds):
        """Let it be received again in so many seconds."""
        self._sqs.change_message_visibility(
            QueueUrl=self.url, ReceiptHandle=message.handle, VisibilityTimeout=int(seconds)
        )

    def park(self, message, why):
        """Move it to the dead-letter queue; killed between, it is in both, which the inbox sees to."""
        _send(self._sqs, self._dead, message, why)
        self.delete(message)

    def hand_over(self, message, url):
        """Move it to another queue."""
        _send(self._sqs, url, message, "")
        self.delete(message)


@lru_cache(maxsize=1)
def _client():
    # One a process, so that its connections are kept. All that is asked of SQS may be asked again.
    return boto3.client("sqs", config=Config(connect_timeout=2, read_timeout=30, retries={"mode": "standard"}))


def _send(sqs, url, message, why):
    # Not the event's id: within five minutes SQS would drop it where it has been before, and we delete ours.
    order = {"MessageGroupId": message.group, "MessageDeduplicationId": message.id} if url.endswith(".fifo") else {}
    told = {"why": {"DataType": "String", "StringValue": why[:_LONGEST_REASON]}} if why else {}
    sqs.send_message(QueueUrl=url, MessageBody=message.body, MessageAttributes=told, **order)


def _message(found):
    attributes = found.get("Attributes", {})
    return Message(
        id=found["MessageId"],
        body=_unwrapped(found["Body"]),
        handle=found["ReceiptHandle"],
        group=attributes.get("MessageGroupId", ""),
        receives=int(attributes.get("ApproximateReceiveCount", 1)),
        sent_at=int(attributes.get("SentTimestamp", 0)) / 1000,
        why=found.get("MessageAttributes", {}).get("why", {}).get("StringValue", ""),
    )


def _unwrapped(body):
    """What was published, where SNS has put its own envelope around it (raw message delivery is off)."""
    try:
        envelope = json.loads(body)
    except ValueError:
        return body
    if isinstance(envelope, dict) and envelope.get("Type") == "Notification" and "TopicArn" in envelope:
        return str(envelope["Message"])
    return body
