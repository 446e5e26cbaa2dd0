"""The dashboard's addresses; they are relative to each other, so that a project includes them where it likes."""

from django.urls import path

from strangler.dashboard import views

app_name = "strangler_dashboard"
urlpatterns = [
    path("", views.index, name="index"),
    path("events", views.events, name="events"),
    path("snapshot.json", views.as_json, name="snapshot"),
    path("plans/<str:name>/record", views.record, name="record"),
    path("plans/<str:name>/<str:action>", views.action, name="action"),
    path("traces/<str:named>", views.trace, name="trace"),
    path("<str:name>", views.asset, name="asset"),
]
