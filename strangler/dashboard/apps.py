"""The dashboard as a Django app of its own: a project that does without it has nothing of it."""

from django.apps import AppConfig


class DashboardConfig(AppConfig):
    """Its only model is there for a permission, and has no table."""

    name = "strangler.dashboard"
    label = "strangler_dashboard"
    verbose_name = "Strangler's dashboard"
