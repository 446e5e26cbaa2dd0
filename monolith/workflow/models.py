from django.db import models
from django.utils import timezone


class Run(models.Model):
    """One workflow on its way: which step comes next, and when."""

    kind = models.CharField(max_length=50)
    subject = models.BigIntegerField()
    state = models.CharField(max_length=50, default="start")
    wake_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "subject"], name="workflow_run_once")]
        indexes = [
            models.Index(fields=["wake_at"], condition=models.Q(finished_at__isnull=True), name="workflow_run_due")
        ]

    def __str__(self):
        return f"{self.kind} of {self.subject} at {self.state}"
