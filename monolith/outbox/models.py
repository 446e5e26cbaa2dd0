import uuid

from django.db import models
from django.utils import timezone


class Event(models.Model):
    """Something that happened in the shop, written in the transaction in which it happened, for others to be told.

    Of one `subject` ("user:17") events are handed on in the order of their keys. Two that were written at the same
    time by transactions that did not see each other may come in either order.
    """

    event = models.UUIDField(default=uuid.uuid4, unique=True)
    type = models.CharField(max_length=100)
    version = models.PositiveSmallIntegerField()
    subject = models.CharField(max_length=100)
    data = models.JSONField()
    traceparent = models.CharField(max_length=55, blank=True)
    at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["subject", "id"], condition=models.Q(sent_at__isnull=True), name="outbox_event_waiting"
            )
        ]

    def __str__(self):
        return f"{self.type} of {self.subject}"
