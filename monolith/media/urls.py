from django.urls import path

from monolith.media import views

urlpatterns = [
    path("media/<int:pk>/", views.original, name="media"),
    path("media/<int:pk>/<int:width>/", views.thumbnail, name="thumbnail"),
]
