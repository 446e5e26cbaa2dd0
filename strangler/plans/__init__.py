"""Extraction plans: to an architecture what migrations are to a schema.

A plan file needs no more than this:

    from strangler import plans
    from strangler.plans.operations import CutForeignKey, MoveTables

    class Plan(plans.Plan):
        service = "reviews"
        operations = [...]
"""

from strangler.plans.errors import PlanError
from strangler.plans.operations import Operation
from strangler.plans.plan import Plan
from strangler.plans.squash import Squash, Squashed

__all__ = ["Operation", "Plan", "PlanError", "Squash", "Squashed"]
