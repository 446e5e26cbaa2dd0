"""How far long work has come, on a terminal."""

import io

from strangler.analysis.kept import Kept
from strangler.analysis.mapping import make_map
from strangler.commands.progress import progress
from tests.unit.strangler.analysis.places import SHOP, make


class Terminal(io.StringIO):
    def isatty(self):
        return True


def told(stream, times):
    with progress(stream, clock=iter(times).__next__) as tell:
        for done in range(1, len(times)):
            tell("files", done, 1_000)
    return stream.getvalue()


def test_on_a_terminal_it_is_said_after_a_while_and_now_and_then_and_goes_away():
    text = told(Terminal(), [0, 0.5, 1.1, 1.2, 1.4])
    assert [part.strip() for part in text.split("\r") if part.strip()] == ["files: 2 of 1,000", "files: 4 of 1,000"]
    assert text.rpartition("\r")[2] == ""
    assert set(text.split("\r")[-2]) == {" "}


def test_what_is_done_at_once_and_what_nobody_watches_is_not_told():
    assert told(Terminal(), [0, 0.1, 0.2]) == ""
    assert told(io.StringIO(), [0, 2, 3]) == ""


def test_a_map_tells_how_many_files_it_has_read_and_followed(tmp_path):
    heard = []
    made = make_map(make(tmp_path, SHOP), Kept(None), tell=lambda *said: heard.append(said))
    count = len(made.summary.modules)
    for what in ("files read", "files followed"):
        assert [said[1:] for said in heard if said[0] == what] == [(n, count) for n in range(1, count + 1)]
