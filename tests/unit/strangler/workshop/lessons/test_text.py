"""What a text tells to type."""

from strangler.workshop.lessons.text import commands, followed, readable


def test_commands_come_with_their_answers_and_with_what_is_written_before_them():
    text = "```console\n$ one\n1\n\n  2\n$ two\n```\ntext\n<!-- by now: a.py b/c.py -->\n```console\n$ three\n3\n```\n"
    assert list(commands(text)) == [("one", ["1", "", "  2"]), ("two", []), ("three", ["3"])]
    assert list(followed(text)) == [
        ([], "one", ["1", "", "  2"]),
        ([], "two", []),
        (["a.py", "b/c.py"], "three", ["3"]),
    ]
    assert readable(text) == text.replace("<!-- by now: a.py b/c.py -->\n", "")
