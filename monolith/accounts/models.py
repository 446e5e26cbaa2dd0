from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A person with an account: customers and staff alike."""

    id = models.BigAutoField(primary_key=True)
    display_name = models.CharField(max_length=80, blank=True)
    preferences = models.JSONField(default=dict, blank=True)

    @property
    def public_name(self):
        return self.display_name or self.username
