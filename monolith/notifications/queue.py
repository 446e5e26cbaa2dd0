"""SQS, as much of it as consumers need."""

import uuid
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from monolith import aws


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A message as it was handed out: it comes again unless it is deleted. `why`: what it was parked for."""

    body: str
    receipt: str
    group: str
    receives: int
    why: str


class Queue:
    def __init__(self, url, client):
        self._url = url
        self._client = client

    def receive(self, *, wait=0, most=1, hidden=None):
        """Up to `most` messages; nobody else gets them for `hidden` seconds (None: as the queue is set up)."""
        hiding = {} if hidden is None else {"VisibilityTimeout": hidden}
        answer = self._client.receive_message(
            QueueUrl=self._url,
            WaitTimeSeconds=wait,
            MaxNumberOfMessages=most,
            MessageSystemAttributeNames=["ApproximateReceiveCount", "MessageGroupId"],
            MessageAttributeNames=["why"],
            **hiding,
        )
        return [_delivery(message) for message in answer.get("Messages", ())]

    def delete(self, delivery):
        self._client.delete_message(QueueUrl=self._url, ReceiptHandle=delivery.receipt)

    def give_back(self, delivery, *, seconds):
        """Let it come again after so many seconds; of its group nothing comes before."""
        self._client.change_message_visibility(
            QueueUrl=self._url, ReceiptHandle=delivery.receipt, VisibilityTimeout=seconds
        )

    def send(self, delivery, *, why=None):
        """Put a message of another queue into this one, which must be FIFO."""
        attributes = {} if why is None else {"why": {"DataType": "String", "StringValue": why}}
        self._client.send_message(
            QueueUrl=self._url,
            MessageBody=delivery.body,
            MessageGroupId=delivery.group,
            # New each time: the same id within five minutes would be swallowed, and the message lost.
            MessageDeduplicationId=str(uuid.uuid4()),
            MessageAttributes=attributes,
        )


def configured(name):
    """The queue whose URL is the setting and the environment variable `name`."""
    url = getattr(settings, name)
    if not url:
        raise ImproperlyConfigured(f'"{name}" is not set; give the URL of the queue.')
    return Queue(url, aws.client("sqs"))


def _delivery(message):
    return Delivery(
        body=message["Body"],
        receipt=message["ReceiptHandle"],
        group=message.get("Attributes", {}).get("MessageGroupId", ""),
        receives=int(message.get("Attributes", {}).get("ApproximateReceiveCount", 1)),
        why=message.get("MessageAttributes", {}).get("why", {}).get("StringValue", ""),
    )
