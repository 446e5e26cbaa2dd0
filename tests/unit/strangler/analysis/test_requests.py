"""What the project's own code puts on requests, as middleware does, and who takes it from there."""

import pytest

from tests.unit.strangler.analysis.places import SHOP, found, mapped

HERE = "shop/people/views.py"
WITH = {
    **SHOP,
    "shop/reviews/middleware.py": """
        from shop.reviews.models import Review

        class Middleware:
            def __call__(self, request):
                request.last = Review.objects.last()
                return self.get_response(request)
    """,
}


@pytest.mark.parametrize(
    "code",
    [
        "def f(request):\n    return request.last.product",
        "from django.http import HttpRequest\ndef f(request: HttpRequest):\n    return request.last.product",
        "class V:\n    def get(self):\n        return self.request.last.product",
    ],
)
def test_a_row_on_the_request_is_followed(tmp_path, code):
    lines = found(tmp_path, HERE, code, "navigation", shop=WITH)
    assert [line.partition(": ")[2] for line in lines] == ["reviews.Review -> catalog.Product, navigation (.product)"]


@pytest.mark.parametrize(
    "code", ["def f(request):\n    request.first.product", "def f(other):\n    other.last.product"]
)
def test_nothing_else_is_on_it_and_nobody_else_has_it(tmp_path, code):
    assert found(tmp_path, HERE, code, "navigation", shop=WITH) == []


def test_what_only_tests_put_there_is_not_there(tmp_path):
    moved = {path.replace("middleware", "test_middleware"): text for path, text in WITH.items()}
    assert found(tmp_path, HERE, "def f(request):\n    request.last.product", "navigation", shop=moved) == []


def test_a_template_has_it_too(tmp_path):
    template = {"shop/people/templates/people/a.html": "{{ request.last.product }} {{ last.product }}"}
    lines = [str(one) for one in mapped(tmp_path, {**WITH, **template}).couplings if "html" in one.path]
    assert lines == [
        "shop/people/templates/people/a.html:1: reviews.Review -> catalog.Product, navigation (request.last.product)"
    ]
