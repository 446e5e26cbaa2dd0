from django.urls import path

from monolith.reviews import reports, views

urlpatterns = [
    path("products/<slug:slug>/review/", views.post_review, name="post-review"),
    path("products/<slug:slug>/reviews/<int:review>/vote/", views.post_vote, name="post-vote"),
    path("staff/reports/reviewers/", reports.reviewers, name="report-reviewers"),
]
