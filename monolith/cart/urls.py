from django.urls import path

from monolith.cart import views

urlpatterns = [
    path("cart/", views.cart, name="cart"),
    path("cart/<int:product>/", views.change, name="cart-change"),
    path("products/<slug:slug>/add/", views.add, name="cart-add"),
]
