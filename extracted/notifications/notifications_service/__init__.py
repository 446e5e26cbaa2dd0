"""Loaded with the package, so that whoever enqueues a task knows the broker."""

from notifications_service.celery import app

__all__ = ["app"]
