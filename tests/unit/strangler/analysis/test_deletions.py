"""Patches that give keys over a border an on_delete that can cross it."""

import ast
import json
import subprocess
from textwrap import dedent

import pytest

from strangler.analysis.deletions import Key, changed, patch
from strangler.cli import main
from tests.unit.strangler.analysis.places import SHOP, make

MODELS = dedent('''
    """Said first."""
    from __future__ import annotations
    from django.db import models
    from django.db.models import SET_NULL

    class Vote(models.Model):
        one = models.ForeignKey("a.A", models.CASCADE)
        two: object = models.ForeignKey("a.A", null=True, on_delete=SET_NULL, related_name="ü")
        three = models.ForeignKey("a.A", on_delete=models.SET_DEFAULT, default=1)
        four = models.ForeignKey("a.A", on_delete=models.PROTECT)
        five = models.ForeignKey("a.A", on_delete=how())
    ''').lstrip()


def keys(**lines):
    by_name = {"one": (7, "CASCADE"), "two": (8, "SET_NULL"), "three": (9, "SET_DEFAULT"), "five": (11, "CASCADE")}
    return [
        Key(path="shop/models.py", line=lines.get(name, line), name=name, on_delete=on_delete)
        for name, (line, on_delete) in by_name.items()
    ]


def test_a_file_is_changed_where_its_keys_say_what_becomes_of_the_row_and_nowhere_else():
    after, left = changed(MODELS.encode(), keys())
    assert [key.name for key in left] == ["five"]
    expected = (
        MODELS.replace('"a.A", models.CASCADE', '"a.A", strangler.deletion.cascade')
        .replace("on_delete=SET_NULL", "on_delete=strangler.deletion.set_null")
        .replace("on_delete=models.SET_DEFAULT", "on_delete=strangler.deletion.set_default")
        .replace("import SET_NULL\n", "import SET_NULL\nimport strangler.deletion\n")
    )
    assert after.decode() == expected
    ast.parse(after)
    assert changed(after, keys(one=8, two=9, three=10))[0] == after  # a second time changes nothing


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (MODELS.replace("ü", "\xfc").encode("latin-1"), "another encoding"),
        (MODELS.replace("\n", "\r").encode(), "lines that only Python counts"),
        (b"import x\n" + MODELS.encode(), "the lines have moved on"),
    ],
)
def test_what_cannot_be_told_stays_as_it_is(source, why):
    assert changed(source, keys()) == (source, keys()), why


@pytest.mark.parametrize(
    "text", [MODELS, MODELS.replace("\n", "\r\n"), MODELS.rstrip("\n"), MODELS.split("five")[0] + "x = 1"]
)
def test_the_patch_makes_of_a_file_what_was_said(tmp_path, text):
    file = tmp_path / "shop/models.py"
    file.parent.mkdir()
    file.write_bytes(text.encode())
    (tmp_path / "it.patch").write_bytes(patch(keys(), lambda path: (tmp_path / path).read_bytes())[0].encode())
    subprocess.run(["git", "apply", "it.patch"], cwd=tmp_path, check=True)
    assert file.read_bytes() == changed(text.encode(), keys())[0]


def test_makeplan_writes_the_patch_of_the_seams_own_keys_and_says_what_becomes_of_the_others(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    more = {
        "shop/people/models.py": SHOP["shop/people/models.py"]
        + "        best = models.ForeignKey('reviews.Review', models.CASCADE)\n",
        "shop/reviews/models.py": SHOP["shop/reviews/models.py"]
        + "        flagged = models.ForeignKey('people.User', models.PROTECT, related_name='+')\n",
    }
    project = make(tmp_path / "project", {**SHOP, **more})
    into = tmp_path / "plan"
    assert main(["makeplan", "reviews", str(project), "--into", str(into)]) == 0
    assert "another on_delete for 2 keys" in capsys.readouterr().out
    wanted = (into / "on_delete.patch").read_text()
    assert wanted.count("+import strangler.deletion") == 1
    assert wanted.count("\n+") == 4  # the file's own name, the import, two keys
    assert wanted.count("strangler.deletion.cascade") == 2
    tasks = (into / "tasks.md").read_text()
    assert (
        "reviews.Review.product has on_delete CASCADE, which cannot reach over the border: strangler.deletion.cascade"
        in tasks
    )
    assert "reviews.Review.flagged has on_delete PROTECT, which would have to know the rows over there before" in tasks
    assert "people.User.best has on_delete CASCADE, and nobody would tell it of a deletion over there" in tasks
    assert main(["makeplan", "reviews", str(project), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["plan"] == (into / "plan.py").read_text()
    assert "models.CASCADE" in (project / "shop/reviews/models.py").read_text()  # the project is as it was
