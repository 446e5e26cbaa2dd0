"""Step 14: what is told to whoever reads more out of a comparison than it says."""

import pytest

ANSWERS = "answers/14_compare.toml"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"latency, p50"', '"latency, p75"', 'the light route has no "latency, p75"'),
        ('"latency, p50", ', "", "1 of them are missing"),
        ('says_nothing = "light:', 'says_nothing = "whole:', 'there is no route "whole"'),
        ("boundary = ", "boundary = 9", "is not what the boundary makes of it"),
        ('shelter = "search"', 'shelter = "love"', 'nothing like "love" was promised'),
        ('shelter = "search"', 'shelter = "write"', 'without the reviews "write" fails'),
        ('choice = "modular"', 'choice = "serverless"', 'there is no arm "serverless"'),
        ("109 light", "more light", 'it says no figure that "modular" has'),
    ],
)
def test_a_wrong_answer_is_told(solved, old, new, told):
    assert told in solved(14, (ANSWERS, old, new))


def test_a_choice_in_a_word_convinces_nobody(solved, bench):
    text = (bench.project / "strangler/workshop/lessons/steps/14_compare/solution" / ANSWERS).read_text()
    whole = text[text.index("because") :]
    assert "that convinces nobody" in solved(14, (ANSWERS, whole, 'because = "They are small."\n'))
