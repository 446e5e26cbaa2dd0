"""Walks over rows in templates."""

import pytest

from tests.unit.strangler.analysis.places import SHOP, mapped

PAGE = "shop/reviews/templates/reviews/list.html"


def walks(root, template, code=""):
    files = {**SHOP, PAGE: template, "shop/reviews/views.py": code}
    return [
        str(one).partition(" -> ")[2]
        for one in mapped(root, files).couplings
        if one.path == PAGE and one.kind in ("navigation", "n+1", "permission")
    ]


def test_a_variable_that_is_called_like_a_model_and_used_like_one_walks_over(tmp_path):
    assert walks(tmp_path, "{{ review.product.name|default:'review.author' }}{% if review.author.pk %}{% endif %}") == [
        "catalog.Product, navigation (review.product.name)",
        "people.User, navigation (review.author.pk)",
    ]


@pytest.mark.parametrize(
    "template", ["{{ review.rating }}", "{{ thing.product }}", "{{ review.product_id }}", "review.product"]
)
def test_what_only_looks_like_that_is_none(tmp_path, template):
    assert walks(tmp_path, template) == []


LOOP = """
    {% for review in reviews %}{{ review.product.name }}
      {% for x in list %}{{ review.author }}{% endfor %}
    {% endfor %}
    {{ review.product }}
"""


def test_a_walk_stands_at_its_own_line_of_a_tag(tmp_path):
    template = "{{ shown(\n  'it is\n  here',\n  review.product) }}"
    files = {**SHOP, "shop/reviews/templates/reviews/a.html": template}
    assert [one.line for one in mapped(tmp_path, files).couplings if one.path.endswith("a.html")] == [4]


def test_in_a_loop_it_is_a_query_for_each_row_and_behind_it_is_not(tmp_path):
    assert walks(tmp_path, LOOP) == [
        "catalog.Product, n+1 (review.product.name)",
        "people.User, n+1 (review.author)",
        "catalog.Product, navigation (review.product)",
    ]


def test_what_the_apps_code_fetches_is_no_query_for_each_row(tmp_path):
    code = "from shop.reviews.models import Review\nROWS = Review.objects.select_related('product')"
    assert walks(tmp_path, LOOP, code)[:2] == [
        "catalog.Product, navigation (review.product.name)",
        "people.User, n+1 (review.author)",
    ]


def test_permissions_in_templates(tmp_path):
    assert walks(tmp_path, "{% if perms.catalog.change_product and perms.reviews.add_review %}{% endif %}") == [
        "catalog.change_product, permission"
    ]


def test_a_template_of_another_app_than_all_the_rows_walks_itself(tmp_path):
    shop = {**SHOP, "shop/reviews/templates/reviews/product.html": "{{ product.category.name }}"}
    (coupling,) = [one for one in mapped(tmp_path, shop).couplings if one.path.endswith("product.html")]
    assert (coupling.kind.value, coupling.source_app, coupling.target) == ("navigation", "reviews", "catalog.Category")
