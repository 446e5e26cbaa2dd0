from django.urls import path

from monolith.search import apis

urlpatterns = [path("search/", apis.SearchApi.as_view())]
