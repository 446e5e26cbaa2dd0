from django.urls import path

from monolith.catalog import views

urlpatterns = [
    path("", views.home, name="home"),
    path("products/", views.products, name="products"),
    path("products/<slug:slug>/", views.product, name="product"),
]
