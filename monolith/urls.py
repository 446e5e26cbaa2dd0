from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from monolith.api_docs import api_docs

urlpatterns = [
    path("", include("monolith.reviews.urls")),
    path("", include("monolith.cart.urls")),
    path("", include("monolith.catalog.urls")),
    path("", include("monolith.search.urls")),
    path("", include("monolith.orders.urls")),
    path("", include("monolith.accounts.urls")),
    path("", include("monolith.media.urls")),
    path("", include("monolith.notifications.urls")),
    path("", include("monolith.monitoring.urls")),
    path("api/", include("monolith.reviews.api_urls")),
    path("api/", include("monolith.catalog.api_urls")),
    path("api/", include("monolith.search.api_urls")),
    path("api/", include("monolith.notifications.api_urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", api_docs, name="api-docs"),
    path("admin/", admin.site.urls),
    path("staff/extractions/", include("strangler.dashboard.urls")),
]
