"""Makes what Orchard and its notifications need of AWS, where it is missing.

orchard-events.fifo ─► notifications.fifo ─► (what was received too often) notifications-dead.fifo
configuration set "orchard" ─► mail-events ─► mail-feedback
"""

from __future__ import annotations

import json
from typing import Any

import boto3
from botocore.exceptions import ClientError

from strangler.workshop.aws.names import (
    CONFIGURATION_SET,
    CREDENTIALS,
    DEAD_QUEUE,
    EVENTS_QUEUE,
    EVENTS_TOPIC,
    FEEDBACK_QUEUE,
    FEEDBACK_TOPIC,
    MAIL_DOMAIN,
    REGION,
)

_RECEIVES = 5
"""So often a message may be taken and not deleted; then it is dead."""
_TOLD = ("SEND", "DELIVERY", "BOUNCE", "COMPLAINT")
_FIFO = {"FifoQueue": "true"}


def arrange(endpoint: str) -> None:
    """Topics, queues and the configuration set. Twice is as once."""
    session = boto3.Session(aws_access_key_id=CREDENTIALS, aws_secret_access_key=CREDENTIALS, region_name=REGION)
    sns, sqs, ses = (session.client(service, endpoint_url=endpoint) for service in ("sns", "sqs", "sesv2"))
    dead = _queue(sqs, DEAD_QUEUE, _FIFO)
    policy = {"deadLetterTargetArn": dead, "maxReceiveCount": _RECEIVES}
    events = sns.create_topic(Name=EVENTS_TOPIC, Attributes={"FifoTopic": "true"})["TopicArn"]
    _subscribe(sns, events, _queue(sqs, EVENTS_QUEUE, {**_FIFO, "RedrivePolicy": json.dumps(policy)}))
    feedback = sns.create_topic(Name=FEEDBACK_TOPIC)["TopicArn"]
    _subscribe(sns, feedback, _queue(sqs, FEEDBACK_QUEUE, {}))
    _mails(ses, feedback)


def _queue(sqs: Any, name: str, attributes: dict[str, str]) -> str:
    """Its ARN."""
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    arn: str = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return arn


def _subscribe(sns: Any, topic: str, queue: str) -> None:
    # Raw: the queue gets the message as it was published, without SNS's envelope around it.
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})


def _mails(ses: Any, topic: str) -> None:
    ses.create_email_identity(EmailIdentity=MAIL_DOMAIN)
    told = {"Enabled": True, "MatchingEventTypes": list(_TOLD), "SnsDestination": {"TopicArn": topic}}
    _unless_there(ses.create_configuration_set, ConfigurationSetName=CONFIGURATION_SET)
    _unless_there(
        ses.create_configuration_set_event_destination,
        ConfigurationSetName=CONFIGURATION_SET,
        EventDestinationName="events",
        EventDestination=told,
    )


def _unless_there(make: Any, **wanted: object) -> None:
    try:
        make(**wanted)
    except ClientError as error:
        if "AlreadyExists" not in error.response["Error"]["Code"]:
            raise
