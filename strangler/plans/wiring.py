"""The only place where plans meet Django's settings: it builds what the commands need."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings

from strangler.plans.errors import PlanError
from strangler.plans.plan import Plan
from strangler.plans.project import Project
from strangler.plans.recorder import PlanRecorder
from strangler.plans.schema import schema_of


def project() -> Project:
    """All plans below STRANGLER["PLANS"]. Raises PlanError."""
    return Project.load(Path(_setting("PLANS")), schema_of(apps))


def recorder(plan: Plan) -> PlanRecorder:
    """The plan's record below STRANGLER["RECORDS"], or beside its file where that is not set."""
    directory = settings.STRANGLER.get("RECORDS") or plan.directory.parent
    return PlanRecorder(Path(directory) / plan.name / "record.jsonl", plan.name)


def _setting(name: str) -> Any:
    value = getattr(settings, "STRANGLER", {}).get(name)
    if not value:
        raise PlanError(f'the setting STRANGLER["{name}"] is missing; add it to your settings')
    return value
