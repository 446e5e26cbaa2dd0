"""The small file that says how far a learner has come."""

import pytest

from strangler.errors import StranglerError
from strangler.workshop.lessons.progress import Progress, load, save


def test_it_comes_back_as_it_was_written(tmp_path):
    wanted = Progress(step=3).laid_out().with_done().with_hint().with_hint().at(4).with_hint()
    save(tmp_path / "new" / "progress.json", wanted)
    found = load(tmp_path / "new" / "progress.json")
    assert found == wanted
    assert (found.step, found.laid, found.done, found.opened) == (4, False, (3,), 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "7",
        '{"step": 1}',
        '{"step": "1", "done": []}',
        '{"step": 1, "done": [null]}',
        '{"step": 1, "done": [], "hints": {"1": "two"}}',
        '{"step": 1, "done": [], "more": 1}',
    ],
)
def test_what_cannot_be_understood_is_told_with_a_way_out(tmp_path, text):
    (tmp_path / "progress.json").write_text(text)
    with pytest.raises(StranglerError, match=r"cannot be understood .*; remove it, and"):
        load(tmp_path / "progress.json")
