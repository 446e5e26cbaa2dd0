import pytest

from strangler.split import MoveSpec, Replica


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"moved": ()}, 'move "0001_reviews" carries no table; name at least one'),
        ({"moved": ("review", "vote", "review")}, 'names the table "review" twice; name it once'),
        ({"replicated": (Replica(table="review", columns=("id",)),)}, 'names the table "review" twice'),
        ({"where": {"vote": "id = 1"}}, 'has a condition for "vote", which it does not move'),
        ({"capture": "binlog"}, 'is to be captured by "binlog"; write "triggers" or "log"'),
        ({"name": "0001_" + "x" * 60}, "is longer than 64 characters; shorten it"),
    ],
)
def test_a_move_that_cannot_be_is_refused_when_it_is_written(given, sentence):
    with pytest.raises(ValueError, match=sentence):
        MoveSpec(**{"name": "0001_reviews", "moved": ("review",), **given})
    assert MoveSpec(name="0001_" + "x" * 59, moved=("review",)).moved == ("review",)
