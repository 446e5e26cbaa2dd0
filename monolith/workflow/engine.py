"""A small workflow engine: states in a table, steps registered by the apps in their `workflows` modules."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from monolith.workflow.models import Run

MOST_ATTEMPTS = 10

logger = logging.getLogger(__name__)
_steps = {}


@dataclass(frozen=True)
class Next:
    """Go on at `state`, not before `after_seconds` have passed."""

    state: str
    after_seconds: int = 0


@dataclass(frozen=True)
class Done:
    """The workflow has reached its end."""


def step(kind, state):
    """Register the function that is called with the subject in `state` and answers `Next` or `Done`."""

    def register(function):
        _steps[kind, state] = function
        return function

    return register


def start(kind, *, subject):
    """Begin a workflow in the caller's transaction; one that runs already goes on."""
    Run.objects.get_or_create(kind=kind, subject=subject)


def advance(kind, *, subject):
    """Take one workflow through its steps until it waits or ends."""
    return _drain(Run.objects.filter(kind=kind, subject=subject))


def run_due(*, limit=100):
    """Take the workflows whose time has come one step further each; returns the number of steps."""
    return _drain(Run.objects.all(), limit)


def _drain(runs, limit=100):
    steps = 0
    while steps < limit and _one_step(runs):
        steps += 1
    return steps


def _one_step(runs):
    with transaction.atomic():
        due = runs.filter(finished_at=None, wake_at__lte=timezone.now(), attempts__lt=MOST_ATTEMPTS)
        run = due.select_for_update(skip_locked=True).order_by("wake_at", "id").first()
        if run is None:
            return False
        try:
            with transaction.atomic():
                _go_on(run, _steps[run.kind, run.state](run.subject))
        except Exception as error:
            logger.exception("workflow step failed", extra={"workflow": run.kind, "subject": run.subject})
            run.attempts += 1
            run.error = str(error)
            run.wake_at = timezone.now() + timedelta(seconds=2**run.attempts)
        run.save()
        return True


def _go_on(run, outcome):
    run.attempts, run.error = 0, ""
    if isinstance(outcome, Done):
        run.finished_at = timezone.now()
    else:
        run.state = outcome.state
        run.wake_at = timezone.now() + timedelta(seconds=outcome.after_seconds)
