"""What can go wrong in a split; every text is one sentence with a way out."""

from strangler.errors import StranglerError


class SplitError(StranglerError):
    """A split cannot go on."""


class Refused(SplitError):
    """A gate said no; nothing was changed."""


class DatabaseUnreachable(SplitError):
    """A database could not be reached or did not let us in."""


class TwoOwners(SplitError):
    """Both databases say that they own the move, or one was set back in time: stop everything."""


class CasFailed(SplitError):
    """Somebody else changed an ownership row since the picture was taken."""


class Gap(SplitError):
    """Changes that the receiver has not applied are gone from the sender's log."""


class StatementFailed(SplitError):
    """A statement failed, or its connection broke: unless a subclass says more, its outcome is unknown."""


class Busy(StatementFailed):
    """A lock was not had in time. The statement was rolled back, nothing has changed."""


class UniqueClash(StatementFailed):
    """A unique value is there already. The statement was rolled back, nothing has changed."""
