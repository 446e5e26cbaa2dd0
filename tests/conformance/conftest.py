"""The engines, started where a test asks for them."""

import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.conformance.engines import LIVE, stage
from tests.conformance.stage import Stage


@pytest.fixture(scope="session")
def stages() -> Iterator[Callable[[str], Stage]]:
    """The engines that are asked for, each started once."""
    with ExitStack() as stack:

        @functools.cache
        def start(name: str) -> Stage:
            if (missing := LIVE[name].missing()) is not None:
                pytest.skip(missing)
            return stack.enter_context(stage(LIVE[name]))

        yield start
