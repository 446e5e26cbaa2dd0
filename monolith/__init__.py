"""Orchard: a shop in one Django project, grown over years."""

from monolith.celery import app as celery_app

__all__ = ["celery_app"]
