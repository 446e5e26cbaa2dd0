"""A plan: one extraction, written as a class in migration_plans/NNNN_name/plan.py."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from strangler.plans.errors import PlanError
from strangler.plans.fingerprint import fingerprint
from strangler.plans.operations import MoveRoutes, Operation, ReplicateTable
from strangler.plans.operations.moving import Moving
from strangler.plans.state import PlanKey, ProjectState

RECORD = "record.jsonl"


class Plan:
    """What is extracted, in operations. Subclasses set the three class attributes."""

    service: ClassVar[str]
    dependencies: ClassVar[Sequence[str]] = ()
    operations: ClassVar[Sequence[Operation]] = ()
    squash: ClassVar[str] = ""
    """Name of the squash that it stands in; see `strangler.plans.squash`."""
    record: ClassVar[Sequence[str]] = ()
    """Of a squashed plan: hashes of the lines with which its record ended."""

    def __init__(self, name: str, directory: Path) -> None:
        moves = any(isinstance(operation, Moving) for operation in self.operations)
        copies = sum(isinstance(operation, ReplicateTable) for operation in self.operations)
        self.key = PlanKey(name=name, service=self.service, copies_alone=0 if moves else copies)
        self.directory = directory

    @property
    def name(self) -> str:
        return self.key.name

    @property
    def reversible_length(self) -> int:
        """The number of operations before the first final one: what applyplan runs unless told otherwise."""
        return next((i for i, operation in enumerate(self.operations) if operation.final), len(self.operations))

    @property
    def routes(self) -> MoveRoutes | None:
        """The operation that moves its routes; a plan has one at most."""
        return next((operation for operation in self.operations if isinstance(operation, MoveRoutes)), None)

    def states(self, before: ProjectState) -> tuple[ProjectState, ...]:
        """The states before the first and after each operation: one more than there are operations.

        Raises PlanError with the place of the operation that does not fit.
        """
        states = [before]
        for number, operation in enumerate(self.operations, start=1):
            try:
                states.append(operation.state_forwards(self.key, states[-1]))
            except PlanError as error:
                raise PlanError(f'plan "{self.name}", operation {number}: {error}') from error
        return tuple(states)

    def digest(self, length: int) -> str:
        """A fingerprint of the first operations, which must not change once they are applied."""
        return fingerprint(self.service, self.operations[:length])

    def record_path(self, records: Path) -> Path:
        """Where its record lies below the directory of records; that of a squashed plan may have stayed in place."""
        path = records / self.name / RECORD
        return path if path.exists() or not self.squash else records / self.squash / self.name / RECORD

    def __str__(self) -> str:
        return f"{self.name} ({self.service}, {len(self.operations)} operations)"
