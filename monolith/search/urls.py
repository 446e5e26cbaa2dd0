from django.urls import path

from monolith.search import views

urlpatterns = [path("search/", views.search, name="search")]
