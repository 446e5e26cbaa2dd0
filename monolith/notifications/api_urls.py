from django.urls import path

from monolith.notifications import apis

urlpatterns = [
    path("notifications/", apis.NotificationListApi.as_view()),
    path("notifications/preferences/", apis.PreferencesApi.as_view()),
    path("notifications/<int:pk>/read/", apis.NotificationReadApi.as_view()),
]
