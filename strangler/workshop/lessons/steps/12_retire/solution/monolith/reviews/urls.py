from django.urls import path

from monolith.reviews import views

urlpatterns = [
    path("products/<slug:slug>/review/", views.post_review, name="post-review"),
    path("products/<slug:slug>/reviews/<int:review>/vote/", views.post_vote, name="post-vote"),
]
