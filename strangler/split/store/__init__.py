"""The two databases of a move, and the few things that engines do differently: a part a file, a class an engine."""

from strangler.split.store.archives import Archives
from strangler.split.store.catalog import Catalog
from strangler.split.store.database import Database, Role
from strangler.split.store.fences import Claim, Compared, Fences, SequenceFloor
from strangler.split.store.plans import Kept
from strangler.split.store.rows import Rows
from strangler.split.store.statements import Statements

__all__ = [
    "Archives",
    "Catalog",
    "Claim",
    "Compared",
    "Database",
    "Fences",
    "Kept",
    "Role",
    "Rows",
    "SequenceFloor",
    "Statements",
    "Store",
]


class Store(Kept, Rows, Fences, Archives):
    """One connection to one database of a move, with all its parts."""
