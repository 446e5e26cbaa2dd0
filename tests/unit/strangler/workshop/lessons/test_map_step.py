"""Step 2: what is told to whoever misreads the map."""

import pytest

from strangler.workshop.lessons.step import step

ANSWERS = "answers/02_map.toml"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            'from = "reviews"\nheaviest_to = "catalog"',
            'from = "catalog"\nheaviest_to = "reviews"',
            "the other way round",
        ),
        ('heaviest_to = "catalog"', 'heaviest_to = "accounts"', "that pair weighs"),
        ('heaviest_to = "catalog"', 'heaviest_to = "payments"', 'nothing ties "reviews" to "payments"'),
        ('["catalog", "reviews"]', '["cart", "catalog"]', '"catalog" imports nothing of "cart"'),
        ('["catalog", "reviews"]', '["reviews", "reviews"]', "two apps that differ"),
        ('["catalog", "reviews"]', '"catalog"', "'catalog'"),
        ("keys_to_users = 4", "keys_to_users = 3", "3 is not what the map shows"),
        ('"reviews/signals.py:18"', '"reviews/signals.py:9999"', "the map has nothing at"),
        ('"reviews/signals.py:18"', '"reviews/models.py:23"', "which everybody sees who reads the line"),
        ("keys_to_users = 4", "keys_to_users = four", "is no TOML"),
    ],
)
def test_a_wrong_answer_is_told(solved, old, new, told):
    assert told in solved(2, (ANSWERS, old, new))


def test_a_path_may_be_written_from_where_one_stands(solved):
    assert solved(2, (ANSWERS, '"reviews/signals', '"monolith/reviews/signals')) == ""


def test_answers_that_are_gone_can_be_laid_out_again(solved, bench):
    solved(2)
    (bench.home / ANSWERS).unlink()
    (finding,) = step(2).check(bench)
    assert "workshop reset" in finding.where
