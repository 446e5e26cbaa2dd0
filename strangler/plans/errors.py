"""What can be wrong with plans; every text is one sentence with a way out."""

from strangler.errors import StranglerError


class PlanError(StranglerError):
    """A plan cannot be read, or cannot be applied as things stand."""
