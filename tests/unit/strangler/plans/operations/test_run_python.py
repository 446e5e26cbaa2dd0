import json

import pytest

from strangler.plans.loader import load_plan
from strangler.plans.operations import RunPython

PLAN = """
from strangler import plans
from strangler.plans.operations import RunPython

def fill(connection):
    connection.execute("UPDATE shop SET open = {value}")

class Plan(plans.Plan):
    service = "reviews"
    operations = [RunPython(fill, RunPython.nothing)]
"""


def fill(connection):
    """Opens the shop.

    For good.
    """


def test_a_reverse_or_a_reason_is_required():
    with pytest.raises(ValueError, match='RunPython needs its reverse, or irreversible="why"'):
        RunPython(fill)
    assert RunPython(fill, irreversible="mail was sent").final
    assert not RunPython(fill, RunPython.nothing).final


def test_only_a_function_whose_text_can_be_read_is_taken():
    with pytest.raises(ValueError, match="is not a function"):
        RunPython("fill", RunPython.nothing)
    with pytest.raises(ValueError, match="is not a function"):
        RunPython(json.JSONDecoder(), RunPython.nothing)
    unread = {}
    exec("def hidden(connection): pass", unread)
    with pytest.raises(ValueError, match='"hidden" has no text that can be read'):
        RunPython(unread["hidden"], RunPython.nothing)


def test_the_dry_run_names_function_and_first_line_of_its_docstring(world, state, key, events):
    operation = RunPython(fill, RunPython.nothing)
    after = operation.state_forwards(key, state)
    (line,) = operation.effects(world, state, after)
    assert line.startswith("-- monolith: call fill() in one transaction") and line.endswith(": Opens the shop.")
    (line,) = operation.undo_effects(world, state, after)
    assert "call nothing()" in line
    assert list(RunPython(fill, irreversible="no").undo_effects(world, state, after)) == []
    assert events == []


def test_a_plans_fingerprint_outlives_the_process_and_notices_an_edit(tmp_path):
    digests = []
    for value in (1, 1, 2):
        folder = tmp_path / f"{len(digests)}" / "0001_reviews"
        folder.mkdir(parents=True)
        (folder / "plan.py").write_text(PLAN.format(value=value))
        (plan,) = load_plan(folder)
        digests.append(plan.digest(1))
    assert digests[0] == digests[1] != digests[2]
