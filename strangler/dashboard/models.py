"""The permission to steer rollouts: Django keeps permissions by models, so there is one without a table."""

from django.db import models


class Rollout(models.Model):
    """Nothing is kept of it here: plans, records and databases are what there is."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = [("steer_rollouts", "Can pause, promote, abort and reverse rollouts")]
