"""A learner's folder, and the files of a step in it."""

import pytest

from strangler.workshop.instance import ROOT
from strangler.workshop.lessons import going
from strangler.workshop.lessons.files import lay
from strangler.workshop.lessons.step import step


@pytest.fixture(scope="session")
def bench(tmp_path_factory):
    """One for all tests; each lays out what it needs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield going.make(tmp_path_factory.mktemp("bench") / "mine", ROOT, lambda text: None)


@pytest.fixture
def solved(bench):
    """A function that lays out a step as it is solved, changes files of it, and says what the check says."""

    def found(number, *changes):
        one = step(number)
        lay(bench.home, one.solution(ROOT))
        for path, old, new in changes:
            text = (bench.home / path).read_text()
            assert old in text, old
            (bench.home / path).write_text(text.replace(old, new))
        return "\n".join(map(str, one.check(bench)))

    return found
