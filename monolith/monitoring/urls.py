from django.urls import path

from monolith.monitoring import views

urlpatterns = [
    path("health/", views.live, name="health"),
    path("health/ready/", views.ready, name="ready"),
    path("staff/monitoring/", views.dashboard, name="monitoring"),
]
