from django.urls import path

from monolith.catalog import apis

urlpatterns = [
    path("products/", apis.ProductListApi.as_view()),
    path("products/<int:pk>/", apis.ProductDetailApi.as_view()),
]
