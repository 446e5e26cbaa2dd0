from django.urls import path
from drf_spectacular.views import SpectacularAPIView

from notifications_service import health
from notifications_service.notifications import apis

urlpatterns = [
    path("health/", health.live),
    path("health/ready/", health.ready),
    path("health/rehearsal/", health.rehearsal),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/notifications/", apis.NotificationListApi.as_view()),
    path("api/notifications/<int:pk>/read/", apis.ReadApi.as_view()),
    path("api/notifications/preferences/", apis.PreferenceApi.as_view()),
]
