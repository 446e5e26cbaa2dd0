"""Do a plan's file and its record speak of the same plan?"""

from __future__ import annotations

from strangler.plans.plan import Plan
from strangler.plans.recorder import PlanRecorder


def disagreement(plan: Plan, recorder: PlanRecorder) -> str:
    """What is wrong with the plan beside its record, as a sentence, or nothing. This is a read-only operation.

    Raises PlanError where the record is damaged.
    """
    applied = recorder.standing()
    for index, recorded in sorted(applied.fingerprints.items()):
        if index < applied.position.highest and recorded != {plan.digest(index + 1)}:
            return (
                f'plan "{plan.name}" was changed at or before operation {index + 1} after that was applied; '
                "restore its file and write a new plan instead"
            )
    # Another environment's record may lie elsewhere, and has other lines.
    if plan.squash and recorder.path == plan.record_path(plan.directory.parent):
        there = {entry.hash for entry in recorder.entries()}
        if missing := [hash_ for hash_ in plan.record if hash_ not in there]:
            return (
                f'the record "{recorder.path}" lacks the line "{missing[0]}" that it ended with when plan '
                f'"{plan.name}" was squashed; restore the file from version control'
            )
    return ""
