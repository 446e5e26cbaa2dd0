import pytest
from django.apps import apps

from strangler.plans.errors import PlanError
from strangler.plans.schema import schema_of


@pytest.fixture(scope="module")
def schema():
    return schema_of(apps)


def test_models_are_read_with_tables_columns_and_foreign_keys(schema):
    model, field = schema.foreign_key("reviews.Review.product")
    assert (model.table, field.column, field.references) == ("reviews_review", "product_id", "catalog.Product")


def test_djangos_own_deletion_reaches_rows_and_a_projects_own_is_trusted(schema):
    assert schema.foreign_key("reviews.Vote.review")[1].deletion_touches_rows
    assert not schema.foreign_key("reviews.Review.product")[1].deletion_touches_rows


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("reviews.Revue.product", 'unknown model "reviews.Revue"; app "reviews" has "reviews.Review"'),
        ("revues.Review.product", 'there is no app "revues" with models'),
        ("reviews.Review.produkt", 'model "reviews.Review" has no field "produkt"; it has "id"'),
        ("reviews.Review.title", 'field "reviews.Review.title" is not a foreign key'),
        ("Review.product", 'write "app.Model.field"'),
    ],
)
def test_what_does_not_exist_is_one_sentence_that_says_what_there_is(schema, name, sentence):
    with pytest.raises(PlanError, match=sentence.replace("(", r"\(")):
        schema.foreign_key(name)
