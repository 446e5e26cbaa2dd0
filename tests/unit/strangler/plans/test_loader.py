import pytest

from strangler.plans.errors import PlanError
from strangler.plans.loader import load_plan, load_plans

PLAN = """
from strangler import plans
from strangler.plans.operations import MoveRoutes, MoveTables, RetireTables

class Plan(plans.Plan):
    service = "reviews"
    operations = [MoveTables(["reviews.Review"])]
"""


SQUASH = """
from strangler import plans
from strangler.plans.operations import RetireCode

class Plan(plans.Squash):
    replaces = [plans.Squashed("0001_a", service="s", operations=[RetireCode(["a.b"])])]
"""


def write(directory, name="0001_reviews", text=PLAN):
    folder = directory / name
    folder.mkdir()
    (folder / "plan.py").write_text(text)
    return folder


def test_plans_are_loaded_by_name_and_other_things_are_left_alone(tmp_path):
    write(tmp_path, "0002_orders")
    write(tmp_path)
    (tmp_path / "README.md").write_text("")
    (tmp_path / "__pycache__").mkdir()
    assert [str(plan) for plan in load_plans(tmp_path)] == [
        "0001_reviews (reviews, 1 operations)",
        "0002_orders (reviews, 1 operations)",
    ]


def test_loading_leaves_nothing_in_the_plans_folder(tmp_path):
    folder = write(tmp_path)
    load_plan(folder)
    assert [path.name for path in folder.iterdir()] == ["plan.py"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("class Plan(", r"line 1: '\(' was never closed"),
        ("raise RuntimeError('no\\nway')", "cannot be read: RuntimeError, no way"),
        ("import nothing_like_this", "cannot be read: ModuleNotFoundError"),
        ("Plan = 3", r'defines no "class Plan\(plans.Plan\)"'),
        ("from strangler.plans import Plan", r'defines no "class Plan\(plans.Plan\)"'),
        (PLAN.replace('service = "reviews"', ""), "names no service"),
        (PLAN + "    dependencies = '0001_a'", "dependencies is not a list"),
        (PLAN + "    operations = []", "has no operations"),
        ("from strangler.plans import Squash as Plan", "replaces nothing"),
        (SQUASH.replace("0001_a", "a"), 'replaces "a", which is not named like'),
        (SQUASH.replace('"s"', "None"), "names no service"),
        (PLAN.replace('["reviews.Review"]', "[lambda: 1]"), "operation 1: a lambda has no fingerprint"),
        (PLAN + "    operations = ['move']", "operation 1: 'move' is not an operation"),
        (PLAN + "    operations = [MoveRoutes('/api/')]", "MoveRoutes: patterns is a list, not the text"),
        (PLAN + "    operations = [MoveRoutes(['api'])]", 'route "api" is no pattern'),
        (PLAN + "    operations = [MoveRoutes(['/a/'], canary=[50, 10])]", "must ascend"),
        (
            PLAN + "    operations = [RetireTables(['a.B']), MoveTables(['a.B'])]",
            'operation 2: put "Move tables a.B" before the final operations',
        ),
    ],
)
def test_a_bad_plan_is_one_sentence_with_its_path(tmp_path, text, sentence):
    folder = write(tmp_path, text=text)
    with pytest.raises(PlanError, match=sentence) as caught:
        load_plan(folder)
    assert str(folder / "plan.py") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_with_another_name_is_refused(tmp_path):
    with pytest.raises(PlanError, match='not named like "0001_reviews"'):
        load_plan(write(tmp_path, "reviews"))


def test_a_name_that_no_database_could_keep_is_refused(tmp_path):
    with pytest.raises(PlanError, match=r'the name of plan "0001_rrr.*" is longer than 64 characters; shorten it'):
        load_plan(write(tmp_path, "0001_" + "r" * 60))


def test_a_folder_without_a_plan_is_refused(tmp_path):
    (tmp_path / "0001_reviews").mkdir()
    with pytest.raises(PlanError, match=r'has no file ".*plan.py"; write it or remove the folder'):
        load_plans(tmp_path)


def test_two_plans_of_one_number_are_refused(tmp_path):
    write(tmp_path)
    write(tmp_path, "0001_orders")
    with pytest.raises(PlanError, match=r'"0001_orders" and "0001_reviews" .* share a number'):
        load_plans(tmp_path)


def test_a_missing_directory_is_refused(tmp_path):
    with pytest.raises(PlanError, match="there is no directory of plans"):
        load_plans(tmp_path / "plans")
