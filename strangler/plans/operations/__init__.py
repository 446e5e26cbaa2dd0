"""The operations of which plans are made."""

from strangler.plans.operations.archive_tables import ArchiveTables
from strangler.plans.operations.base import Operation
from strangler.plans.operations.contract_table import ContractTable
from strangler.plans.operations.copy_sequence import CopySequence
from strangler.plans.operations.cut_foreign_key import CutForeignKey
from strangler.plans.operations.drop_tables import DropTables
from strangler.plans.operations.move_routes import MoveRoutes
from strangler.plans.operations.move_rows import MoveRows
from strangler.plans.operations.move_tables import MoveTables
from strangler.plans.operations.move_task import MoveTask
from strangler.plans.operations.replicate_table import ReplicateTable
from strangler.plans.operations.retire_code import RetireCode
from strangler.plans.operations.retire_tables import RetireTables
from strangler.plans.operations.run_python import RunPython
from strangler.plans.operations.run_sql import RunSQL
from strangler.plans.operations.split_table import SplitTable
from strangler.rollout.verdict import Limits
from strangler.rollout.watch import Watch

__all__ = [
    "ArchiveTables",
    "ContractTable",
    "CopySequence",
    "CutForeignKey",
    "DropTables",
    "Limits",
    "MoveRoutes",
    "MoveRows",
    "MoveTables",
    "MoveTask",
    "Operation",
    "ReplicateTable",
    "RetireCode",
    "RetireTables",
    "RunPython",
    "RunSQL",
    "SplitTable",
    "Watch",
]
