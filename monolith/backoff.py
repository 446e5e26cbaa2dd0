import random


def full_jitter(attempt, *, base, cap):
    """Seconds to wait after the `attempt`-th failure: anything up to `base` doubled each time, at most `cap`.

    Evenly between nothing and that, so that those who failed together do not come again together.
    """
    return random.uniform(0, min(cap, base * 2 ** (attempt - 1)))  # noqa: S311
