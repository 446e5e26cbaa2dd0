from django.db import models
from django.utils import timezone


class Event(models.Model):
    """Somebody looked at or did something; what the analysts count."""

    kind = models.CharField(max_length=40)
    path = models.CharField(max_length=300)
    user_id = models.BigIntegerField(null=True)
    visitor = models.CharField(max_length=40, blank=True)
    details = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self):
        return f"{self.kind} {self.path}"
