"""Answers that texts show, beside what was printed."""

from tests.console import answers


def test_an_answer_that_differs_in_words_is_not_taken():
    assert answers(["1 plan, nothing to complain about."], "7 plans, nothing to complain about.") is False
    assert answers(["...", "owner  reviews"], "applied 7\nowner  reviews\n") is True
    assert answers(["...", "owner  reviews"], "applied 7\nowner  monolith\n") is False
