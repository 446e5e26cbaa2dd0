"""What Orchard's topics and queues are called, and what its processes are told of them."""

from __future__ import annotations

EVENTS_TOPIC = "orchard-events.fifo"
EVENTS_QUEUE = "notifications.fifo"
DEAD_QUEUE = "notifications-dead.fifo"
FEEDBACK_TOPIC = "mail-events"
FEEDBACK_QUEUE = "mail-feedback"
CONFIGURATION_SET = "orchard"
MAIL_DOMAIN = "orchard.example"
REGION = "eu-central-1"
CREDENTIALS = "loopback"
"""Both halves of them: any will do."""
_ACCOUNT = "123456789012"


def environment(endpoint: str) -> dict[str, str]:
    """The variables by which boto3 finds this AWS, and Orchard and its notifications their places in it."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": CREDENTIALS,
        "AWS_SECRET_ACCESS_KEY": CREDENTIALS,
        "ORCHARD_EVENTS_TOPIC": f"arn:aws:sns:{REGION}:{_ACCOUNT}:{EVENTS_TOPIC}",
        "NOTIFICATIONS_QUEUE": f"{endpoint}/{_ACCOUNT}/{EVENTS_QUEUE}",
        "NOTIFICATIONS_DEAD_QUEUE": f"{endpoint}/{_ACCOUNT}/{DEAD_QUEUE}",
        "NOTIFICATIONS_FEEDBACK_QUEUE": f"{endpoint}/{_ACCOUNT}/{FEEDBACK_QUEUE}",
        "NOTIFICATIONS_CONFIGURATION_SET": CONFIGURATION_SET,
        "NOTIFICATIONS_FROM": f"Orchard <shop@{MAIL_DOMAIN}>",
    }
