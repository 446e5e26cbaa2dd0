from django.conf import settings
from django.db import models
from django.utils import timezone

from monolith.notifications.deletion import cascade_while_local


class Notification(models.Model):
    """A message on a person's profile page."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=cascade_while_local, related_name="notifications")
    subject = models.CharField(max_length=200)
    body = models.TextField()
    read = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self):
        return self.subject


class Mail(models.Model):
    """A mail that waits to be sent, or was; the queue is this table."""

    class State(models.TextChoices):
        QUEUED = "queued"  # it waits for its time
        SENDING = "sending"  # somebody is at it, or died over it: whether it was sent is not known
        SENT = "sent"  # whoever sends mails for us has it
        SUPPRESSED = "suppressed"  # its address is not written to any more
        FAILED = "failed"  # it was refused for good, or too often

    user_id = models.BigIntegerField(null=True)
    recipient = models.EmailField()
    subject = models.CharField(max_length=200)
    body = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)
    next_try_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=20, choices=State, default=State.QUEUED)
    claimed_at = models.DateTimeField(null=True)
    message_id = models.CharField(max_length=200, blank=True)
    sent_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["next_try_at"],
                condition=models.Q(state__in=["queued", "sending"]),
                name="notifications_mail_due",
            )
        ]

    def __str__(self):
        return f"{self.subject} to {self.recipient}"


class Received(models.Model):
    """An event that was taken into account: when it comes again, it changes nothing."""

    event = models.UUIDField(primary_key=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "received"

    def __str__(self):
        return str(self.event)


class Preference(models.Model):
    """What a person has said about mails; who has said nothing gets them."""

    user_id = models.BigIntegerField(primary_key=True)
    mail = models.BooleanField()

    def __str__(self):
        return "mails" if self.mail else "no mails"


class Suppression(models.Model):
    """An address that is not written to any more, in small letters: it does not exist, or somebody complained."""

    address = models.EmailField(primary_key=True)
    reason = models.CharField(max_length=20)
    at = models.DateTimeField(default=timezone.now)

    def __str__(self):
        return f"{self.address} ({self.reason})"
