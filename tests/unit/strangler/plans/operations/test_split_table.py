from dataclasses import replace

import pytest

from strangler.plans.errors import PlanError
from strangler.plans.operations import ContractTable, MoveTables, ReplicateTable, SplitTable
from strangler.plans.plan import Plan
from strangler.plans.schema import Field, Model
from strangler.plans.source import source_of
from strangler.plans.state import PlanKey, Split
from strangler.plans.touched import touched
from tests.unit.strangler.plans.fake_world import model

SPLIT = SplitTable("accounts.User", columns=["opt_in", "language"], into="mail.Preference")
CONTRACT = ContractTable("accounts.User", into="mail.Preference")
COLUMNS = tuple(Field(name=name, column=name) for name in ("opt_in", "language"))
KEY = Field(name="user_id", column="user_id", primary_key=True)


def narrow(*fields):
    return Model(label="mail.Preference", table="mail_preference", fields=fields)


@pytest.fixture
def state(state):
    others = tuple(found for found in state.schema.models if found.label not in ("accounts.User", "orders.Order"))
    models = (model("accounts.User", *COLUMNS), narrow(KEY, *COLUMNS), model("orders.Order"))
    return replace(state, schema=replace(state.schema, models=(*others, *models)))


@pytest.fixture
def key():
    return PlanKey(name="0001_mail", service="mail")


@pytest.fixture
def split(state, key):
    return SPLIT.state_forwards(key, state)


def with_narrow(state, *fields):
    others = tuple(found for found in state.schema.models if found.label != "mail.Preference")
    return replace(state, schema=replace(state.schema, models=(*others, narrow(*fields))))


def test_both_are_described():
    assert SPLIT.describe() == "Split accounts.User (opt_in, language) into mail.Preference"
    assert CONTRACT.describe() == "Contract accounts.User, split into mail.Preference"


def test_the_state_knows_the_split_and_whether_it_is_contracted(split, key):
    entry = Split(plan="0001_mail", model="accounts.User", columns=("opt_in", "language"), into="mail.Preference")
    assert split.splits == (entry,)
    assert CONTRACT.state_forwards(key, split).splits == (replace(entry, contracted=True),)


def test_the_narrow_table_moves_once_the_split_is_contracted(split, key):
    for label in ("mail.Preference", "accounts.User"):
        with pytest.raises(PlanError, match=r'keep "accounts.User" and "mail.Preference" equal.*ContractTable before'):
            MoveTables([label]).state_forwards(key, split)
    contracted = CONTRACT.state_forwards(key, split)
    assert MoveTables(["mail.Preference"]).state_forwards(key, contracted).owner_of_table("mail.Preference") == "mail"


def test_the_plan_fits_code_that_has_the_new_shape_only(state, key):
    others = tuple(found for found in state.schema.models if found.label != "accounts.User")
    state = replace(state, schema=replace(state.schema, models=(*others, model("accounts.User"))))
    contracted = CONTRACT.state_forwards(key, SPLIT.state_forwards(key, state))
    assert MoveTables(["mail.Preference"]).state_forwards(key, contracted).moved


def test_both_tables_are_for_one_plan_alone(split, key):
    assert touched(key.name, split).changed == {"accounts_user", "mail_preference"}
    assert touched("0002_other", split).changed == frozenset()


def test_a_table_is_in_one_split(split, key):
    with pytest.raises(PlanError, match=r'"accounts.User" is split with plan "0001_mail" already'):
        SPLIT.state_forwards(replace(key, name="0002_other"), split)


def test_what_has_moved_is_not_split(state, key):
    for label in ("accounts.User", "mail.Preference"):
        moved = MoveTables([label]).state_forwards(key, state)
        with pytest.raises(PlanError, match=f'table of "{label}" has moved with plan "0001_mail"; split it before'):
            SPLIT.state_forwards(key, moved)


@pytest.mark.parametrize(
    ("operation", "fields", "sentence"),
    [
        (SPLIT, (KEY, *COLUMNS, Field(name="id", column="id")), "just the columns that are split"),
        (SPLIT, (KEY, COLUMNS[0]), "just the columns that are split"),
        (SPLIT, (replace(KEY, primary_key=False), *COLUMNS), 'key of "mail.Preference" has 0 columns'),
        (SplitTable("accounts.User", columns=["id"], into="mail.Preference"), (KEY,), '"id" is the key of'),
        (SplitTable("accounts.User", columns=[], into="mail.Preference"), (KEY,), "just the columns that are split"),
        (SplitTable("a.B", columns=["x"], into="mail.Preference"), (KEY,), 'unknown model "a.B"'),
    ],
)
def test_a_split_that_does_not_fit_is_refused(state, key, operation, fields, sentence):
    with pytest.raises(PlanError, match=sentence):
        operation.state_forwards(key, with_narrow(state, *fields))


def test_only_a_split_of_the_plan_is_contracted_and_once(state, split, key):
    with pytest.raises(PlanError, match=r'is not split into "mail.Preference"; put SplitTable before'):
        CONTRACT.state_forwards(key, state)
    with pytest.raises(PlanError, match=r'is not split into "accounts.User"'):
        ContractTable("mail.Preference", into="accounts.User").state_forwards(key, split)
    with pytest.raises(PlanError, match='is split by plan "0001_mail"; contract it there'):
        CONTRACT.state_forwards(replace(key, name="0002_other"), split)
    with pytest.raises(PlanError, match="is contracted already"):
        CONTRACT.state_forwards(key, CONTRACT.state_forwards(key, split))


def test_other_services_may_have_copies_of_both_shapes(split, key):
    copied = ReplicateTable("mail.Preference", columns=["user_id", "language"]).state_forwards(key, split)
    assert copied.replicated


def test_what_is_written_down_is_read_back():
    plan = type("Plan", (Plan,), {"service": "mail", "operations": [SPLIT, CONTRACT]})("0001_mail", None)
    namespace = {}
    exec(source_of([plan], lambda plan: ()), namespace)
    assert namespace["Plan"].replaces[0].operations == [SPLIT, CONTRACT]
