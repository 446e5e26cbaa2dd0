"""What people were told, the mails about it, and what we hold of people."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

_MOST_DOUBLINGS = 5


class Person(models.Model):
    """A read-only copy; the shop's accounts own people."""

    id = models.BigIntegerField(primary_key=True)
    username = models.CharField(max_length=150)
    email = models.EmailField(blank=True)
    display_name = models.CharField(max_length=80, blank=True)

    class Meta:
        db_table = "accounts_user"

    def __str__(self):
        return self.username

    @property
    def public_name(self):
        return self.display_name or self.username


class Notification(models.Model):
    """A message on a person's profile page. People live elsewhere, and are named by number only."""

    user_id = models.BigIntegerField(db_index=True)
    subject = models.CharField(max_length=200)
    body = models.TextField()
    read = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self):
        return self.subject


class Mail(models.Model):
    """A mail and how far it has come; the queue is this table."""

    class State(models.TextChoices):
        QUEUED = "queued"  # to be sent from next_try_at on
        SENDING = "sending"  # claimed, and committed so before SES is called: whether it was sent is not known here
        SENT = "sent"  # SES has taken it
        SUPPRESSED = "suppressed"  # the address takes no mails
        FAILED = "failed"  # given up

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

    @property
    def unknown_until(self):
        """When SES's own word on this attempt is waited for no longer: twice as long each time.

        So a mail whose events never come is not sent again and again in short time.
        """
        doublings = min(self.attempts - 1, _MOST_DOUBLINGS)
        return self.claimed_at + timedelta(seconds=settings.UNKNOWN_FOR * 2**doublings)


class Received(models.Model):
    """The inbox: an event that is in it was dealt with, and is not again."""

    event = models.UUIDField(primary_key=True)
    at = models.DateTimeField(default=timezone.now)

    def __str__(self):
        return str(self.event)


class Preference(models.Model):
    """What a person wants; who has none wants mails."""

    user_id = models.BigIntegerField(primary_key=True)
    mail = models.BooleanField()

    def __str__(self):
        return f"{self.user_id}: {'mails' if self.mail else 'no mails'}"


class Suppression(models.Model):
    """An address, in small letters, to which nothing is sent any more."""

    address = models.EmailField(primary_key=True)
    reason = models.CharField(max_length=20)
    at = models.DateTimeField(default=timezone.now)

    def __str__(self):
        return f"{self.address}: {self.reason}"
