"""Whole patterns of routes, through every module that includes others."""

from strangler.analysis.routes import whole_routes
from tests.unit.strangler.analysis.places import mapped

FILES = {
    "shop/__init__.py": "",
    "shop/urls.py": """
        from django.urls import include, path, re_path
        from shop.api import router

        urlpatterns = [
            path("api/", include("shop.api")),
            path("api/v2/", include(router.urls)),
            path("shop/", include(("shop.pages", "pages"))),
            re_path(r"^old/(?P<pk>[0-9]+)/$", views.old),
            re_path(r"^odd/(a|b)/$", views.old),
        ]
        from shop import views
    """,
    "shop/api.py": """
        from django.urls import path
        from rest_framework.routers import DefaultRouter
        from shop import views

        router = DefaultRouter()
        router.register("products", views.Products)
        urlpatterns = [path("ratings/<int:pk>/", views.ratings, name="ratings")]
    """,
    "shop/pages.py": """
        from django.contrib.auth.decorators import login_required
        from django.urls import path
        from shop import views

        app_name = "pages"
        urlpatterns = [path("<slug:name>/", login_required(views.Page.as_view()), name="page")]
    """,
    "shop/views.py": """
        from rest_framework.decorators import api_view
        from rest_framework.viewsets import ModelViewSet

        class Products(ModelViewSet):
            pass

        @api_view(["GET"])
        def ratings(request, pk):
            pass

        class Page:
            pass

        def old(request, pk):
            pass
    """,
}


def test_patterns_are_put_together_and_what_cannot_be_told_is_left_empty(tmp_path):
    routes = whole_routes(mapped(tmp_path, FILES).summary.routes)
    assert {(route.pattern, route.view.rpartition(".")[2], route.name, route.is_api) for route in routes} == {
        ("/api/ratings/<pk>/", "ratings", "ratings", True),
        ("/api/v2/products/", "Products", "", True),
        ("/shop/<name>/", "Page", "pages:page", False),
        ("/old/<pk>/", "old", "", False),
        ("", "old", "", False),
    }


def test_a_route_is_also_made_with_keywords_alone(tmp_path):
    files = {**FILES, "shop/more.py": "path(route='more/', view=views.old, name='more')\nfrom django.urls import path\n"
    "from shop import views"}  # fmt: skip
    routes = {route.name: route for route in mapped(tmp_path, files).summary.routes}
    assert (routes["more"].pattern, routes["more"].view) == ("more/", "shop.views.old")
