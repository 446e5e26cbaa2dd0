"""Step 3: what is told to whoever chooses without looking."""

import pytest

ANSWERS = "answers/03_seam.toml"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('seam = "reviews"', 'seam = "comments"', 'there is no seam "comments"'),
        ('seam = "reviews"', 'seam = "orders"', "orders.Line is its own"),
        ("keys = 3", "keys = 4", "has not 4 keys over its border"),
        ('"accounts.User"', '"accounts.User", "reviews.Vote"', "reviews.Vote is its own: it moves"),
        ('"accounts.User"', '"accounts.User", "media.Blob"', "media.Blob is not read by it"),
        ('"accounts.User", ', "", "1 of the tables that it reads are missing"),
        ("reviews/reports.py:8", "reviews/models.py:1", "is not what has to change first"),
        ('instead = "media"', 'instead = "reviews"', "that is the seam that you chose"),
        ("3 keys", "few keys", 'no figure that "reviews" has'),
        ("1 key and", "few keys and", 'no figure that "media" has'),
    ],
)
def test_a_wrong_answer_is_told(solved, old, new, told):
    assert told in solved(3, (ANSWERS, old, new))


def test_a_defence_in_a_word_convinces_nobody(solved, bench):
    text = (bench.project / "strangler/workshop/lessons/steps/03_seam/solution" / ANSWERS).read_text()
    whole = text[text.index("because") :]
    assert "that convinces nobody" in solved(3, (ANSWERS, whole, 'because = "They are small."\n'))
