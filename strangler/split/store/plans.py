"""What operations of plans keep in a database, beside the moves."""

from __future__ import annotations

import abc
from collections.abc import Iterator, Sequence

from strangler.split.deletions import Followed
from strangler.split.shapes import Shapes
from strangler.split.store.catalog import Catalog


class Kept(Catalog):
    """Tombstones, deletions to be noted, and tables in two shapes."""

    @abc.abstractmethod
    def create_plan_tables(self, user: str) -> None:
        """Create the tables that operations of plans keep, where they are missing, and let "user" use them.

        An empty user is nobody.
        """

    def note_tombstones(self, move: str, names: Sequence[str]) -> None:
        """Note that the move is complete and its tables are fenced for good; the first time counts."""
        self.create_plan_tables("")
        for name in names:
            if not self.query("SELECT 1 FROM strangler.retirements WHERE move = %s AND name = %s", (move, name)):
                self.execute(
                    "INSERT INTO strangler.retirements (move, name, relation, tombstoned_at) VALUES (%s, %s, %s, %s)",
                    (move, name, self.describe(name).relation, self.now()),
                )

    @abc.abstractmethod
    def unseen_deletions(self, followed: Followed) -> Iterator[str]:
        """Why not every deletion in the table can be noted, in sentences; none where each can. Read-only."""

    @abc.abstractmethod
    def note_deletions(self, followed: Followed) -> Iterator[str]:
        """The statements by which deletions in the table are noted in strangler.cleanups; safe to run again."""

    @abc.abstractmethod
    def ignore_deletions(self, followed: Followed) -> Iterator[str]:
        """The statements that end that; safe to run again."""

    @abc.abstractmethod
    def two_shapes(self, wide: str, narrow: str, columns: tuple[str, ...]) -> Shapes:
        """The two tables of a split, by their names. Read-only.

        Raises SplitError where a table or a column is missing.
        """
