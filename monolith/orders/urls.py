from django.urls import path

from monolith.orders import views

urlpatterns = [
    path("checkout/", views.checkout, name="checkout"),
    path("orders/<uuid:number>/", views.order, name="order"),
]
