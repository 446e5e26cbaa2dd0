"""Completed plans become one folder: what was applied stays applied, under the same names, with the same records."""

import shutil

import pytest

from strangler.plans.agreement import disagreement
from strangler.plans.errors import PlanError
from strangler.plans.loader import load_plan, load_plans
from strangler.plans.operations import RetireCode
from strangler.plans.project import Project
from strangler.plans.recorder import PlanRecorder
from strangler.plans.report import check_plans, report_plans
from strangler.plans.squash import write_squash
from strangler.plans.standing import FORWARDS, Event, Position
from tests.unit.strangler.plans.fake_world import schema

HEAD = "from strangler import plans\nfrom strangler.plans.operations import *\n"
REVIEWS = """
CUT = "0002_cut"
class Plan(plans.Plan):
    service = "reviews"
    operations = [
        CutForeignKey("reviews.Review.product", keep="product_id", migration=CUT),
        ReplicateTable("catalog.Product", columns=["id", "name"]),
        MoveTables(["reviews.Review", "reviews.Vote"]),
        MoveRoutes(["/api/reviews/", "/api/products/<pk>/reviews/", "/a/very/long/route/that/needs/a/line/"], hold=0.5),
        RetireTables(["reviews.Review", "reviews.Vote"]),
        RetireCode(["shop/reviews.py"]),
    ]
"""
ORDERS = """
class Plan(plans.Plan):
    service = "orders"
    dependencies = ["0001_reviews"]
    operations = [RetireCode(['shop."orders".old'])]
"""
LATER = """
class Plan(plans.Plan):
    service = "mail"
    dependencies = ["0002_orders"]
    operations = [RetireCode(["shop.mail"])]
"""
SQUASH = "0001_squashed_0002_orders"


class Shop:
    """Plans on disk and their records, beside them or apart."""

    def __init__(self, plans, records):
        self.directory, self.records = plans, records
        for name, text in (("0001_reviews", REVIEWS), ("0002_orders", ORDERS), ("0003_mail", LATER)):
            (plans / name).mkdir(parents=True)
            (plans / name / "plan.py").write_text(HEAD + text)
        (plans / "0001_reviews" / "exercise.md").write_text("# Reviews\n")

    @property
    def project(self):
        return Project(load_plans(self.directory), schema())

    def recorder(self, plan):
        return PlanRecorder(plan.record_path(self.records), plan.name, who="ada")

    def apply(self, name, count=None):
        plan = self.project.plan(name)
        for index, operation in list(enumerate(plan.operations))[:count]:
            for event in (Event.STARTED, Event.DONE):
                self.recorder(plan).append(
                    event,
                    plan_hash=plan.digest(index + 1),
                    index=index,
                    operation=operation.describe(),
                    direction=FORWARDS,
                    facts={},
                )

    def squash(self, *names):
        return write_squash([self.project.plan(name) for name in names], self.recorder, load_plan)

    def files(self):
        return {
            str(path.relative_to(self.directory)): path.read_bytes()
            for path in self.directory.rglob("*")
            if path.is_file()
        }


@pytest.fixture(params=["beside the plans", "apart"])
def shop(request, tmp_path):
    shop = Shop(tmp_path / "plans", tmp_path / ("plans" if request.param == "beside the plans" else "records"))
    shop.apply("0001")
    shop.apply("0002")
    return shop


def test_the_squashed_plans_are_the_same_and_applied(shop):
    before = shop.project
    recorded = [shop.recorder(plan).entries() for plan in before.plans]
    assert shop.squash("0001", "0002") == shop.directory / SQUASH
    after = shop.project
    assert [plan.name for plan in after.plans] == [plan.name for plan in before.plans]
    assert [plan.squash for plan in after.plans] == [SQUASH, SQUASH, ""]
    assert after.final_state() == before.final_state()
    assert after.graph == before.graph
    assert [shop.recorder(plan).entries() for plan in after.plans] == recorded
    assert check_plans(after, shop.recorder) == ()
    assert shop.recorder(after.plan("0001")).position() == Position(lowest=6, highest=6)
    assert [str(one).splitlines()[0] for one in report_plans(after.plans, shop.recorder)] == [
        f"0001_reviews (reviews): all 6 operations applied, squashed into {SQUASH}",
        f"0002_orders (orders): all 1 operations applied, squashed into {SQUASH}",
        "0003_mail (mail)",
    ]


def test_the_folders_become_one_and_keep_what_lay_in_them(shop):
    shop.squash("0001", "0002")
    folders = sorted(path.name for path in shop.directory.iterdir())
    assert folders == [SQUASH, "0003_mail"]
    assert (shop.directory / SQUASH / "0001_reviews" / "exercise.md").read_text() == "# Reviews\n"
    assert not list((shop.directory / SQUASH).glob("*/plan.py"))


def test_a_project_that_has_the_squash_and_its_own_older_records_has_applied_it(shop, tmp_path):
    other = Shop(tmp_path / "elsewhere", tmp_path / "its records")
    for name in ("0001", "0002"):
        other.apply(name)
    shop.squash("0001", "0002")
    shutil.rmtree(other.directory)
    shutil.copytree(shop.directory, other.directory)
    assert [other.recorder(plan).applied() for plan in other.project.plans] == [6, 1, 0]
    assert check_plans(other.project, other.recorder) == ()


def test_a_new_project_may_apply_what_was_squashed(shop, tmp_path):
    shop.squash("0001", "0002")
    shop.records = tmp_path / "new"
    assert shop.recorder(shop.project.plan("0001")).applied() == 0
    shop.apply("0001", 2)
    assert shop.recorder(shop.project.plan("0001")).applied() == 2
    assert check_plans(shop.project, shop.recorder) == ()


def test_an_edit_of_a_squashed_plan_is_noticed(shop):
    path = shop.squash("0001", "0002") / "plan.py"
    path.write_text(path.read_text().replace("reviews.Vote", "catalog.Product"))
    plan = shop.project.plan("0001")
    assert 'plan "0001_reviews" was changed at or before operation 3' in disagreement(plan, shop.recorder(plan))


def test_a_kept_record_that_lost_its_end_is_noticed(tmp_path):
    shop = Shop(tmp_path, tmp_path)
    shop.apply("0001")
    shop.apply("0002")
    shop.squash("0001", "0002")
    plan = shop.project.plan("0001")
    record = shop.recorder(plan).path
    lines = record.read_bytes().splitlines(keepends=True)
    for left in (lines[:-1], []):
        record.write_bytes(b"".join(left))
        assert f'lacks the line "{plan.record[0]}"' in disagreement(plan, shop.recorder(plan))


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (("0001",), "one plan is not squashed; name at least two"),
        (("0001", "0002", "0003"), 'plan "0003_mail" is not over'),
    ],
)
def test_what_is_not_over_is_refused_and_nothing_changed(shop, names, sentence):
    before = shop.files()
    with pytest.raises(PlanError, match=sentence):
        shop.squash(*names)
    assert shop.files() == before


def test_a_plan_that_can_still_be_undone_is_refused(shop):
    text = HEAD + 'class Plan(plans.Plan):\n    service = "mail"\n    operations = [MoveTables(["reviews.Review"])]\n'
    (shop.directory / "0003_mail" / "plan.py").write_text(text)
    shop.apply("0003")
    with pytest.raises(PlanError, match='plan "0003_mail" is not over'):
        shop.squash("0001", "0003")


def test_a_plan_with_code_of_its_own_is_refused_and_nothing_changed(shop):
    path = shop.directory / "0003_mail" / "plan.py"
    own = "class Own(RetireCode):\n    pass\n" + LATER.replace("[RetireCode(", "[Own(")
    path.write_text(HEAD + own)
    shop.apply("0003")
    before = shop.files()
    with pytest.raises(PlanError, match='operation 1 of plan "0003_mail" is of a class that its plan file defines'):
        shop.squash("0002", "0003")
    assert shop.files() == before


def test_what_is_squashed_is_not_squashed_again(shop):
    shop.squash("0001", "0002")
    shop.apply("0003")
    with pytest.raises(PlanError, match=f'plan "0002_orders" is in squash "{SQUASH}" already'):
        shop.squash("0002", "0003")


def test_after_a_crash_between_both_folders_the_loader_says_what_to_remove(shop, tmp_path):
    shutil.copytree(shop.directory / "0001_reviews", tmp_path / "saved")
    shop.squash("0001", "0002")
    shutil.copytree(tmp_path / "saved", shop.directory / "0001_reviews")
    with pytest.raises(PlanError, match=f'plan "0001_reviews" stands in .* and in ".*{SQUASH}"; .* remove the other'):
        load_plans(shop.directory)


def test_an_operation_that_is_not_read_back_as_it_was_is_refused_and_nothing_changed(shop):
    path = shop.directory / "0003_mail" / "plan.py"
    path.write_text(f"{HEAD}from {__name__} import Growing\n" + LATER.replace("RetireCode(", "Growing("))
    shop.apply("0003")
    before = shop.files()
    with pytest.raises(PlanError, match='plan "0003_mail" would not come out of the squash as it was; leave it out'):
        shop.squash("0002", "0003")
    assert shop.files() == before


class Growing(RetireCode):
    """Each time that it is made it has one more value than it was given."""

    def __post_init__(self):
        object.__setattr__(self, "code", (*self.code, "more"))
