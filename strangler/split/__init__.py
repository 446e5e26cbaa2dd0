"""The data split: one aggregate's tables on their way from one database to another, and back."""

from strangler.split.cutover import Step, SwitchAborted, SwitchReport, Traffic
from strangler.split.errors import DatabaseUnreachable, Refused, SplitError, TwoOwners
from strangler.split.limits import Limits
from strangler.split.move import Move
from strangler.split.ownership import Picture
from strangler.split.spec import Capture, MoveSpec, Replica, Side
from strangler.split.status import MoveStatus, Routing
from strangler.split.verification import Difference, Verification

__all__ = [
    "Capture",
    "DatabaseUnreachable",
    "Difference",
    "Limits",
    "Move",
    "MoveSpec",
    "MoveStatus",
    "Picture",
    "Refused",
    "Replica",
    "Routing",
    "Side",
    "SplitError",
    "Step",
    "SwitchAborted",
    "SwitchReport",
    "Traffic",
    "TwoOwners",
    "Verification",
]
