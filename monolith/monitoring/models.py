from django.db import models


class RouteMinute(models.Model):
    """What one route did in one minute; the operators' page is drawn from these rows."""

    minute = models.DateTimeField()
    route = models.CharField(max_length=200)
    requests = models.PositiveIntegerField(default=0)
    errors = models.PositiveIntegerField(default=0)
    milliseconds = models.FloatField(default=0)
    slowest = models.FloatField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["minute", "route"], name="monitoring_route_minute")]

    def __str__(self):
        return f"{self.route} at {self.minute:%H:%M}"
