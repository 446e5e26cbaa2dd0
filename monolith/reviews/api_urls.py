from django.urls import path

from monolith.reviews import apis

urlpatterns = [
    path("reviews/", apis.ReviewListApi.as_view()),
    path("reviews/ratings/", apis.RatingListApi.as_view()),
    path("reviews/<int:pk>/", apis.ReviewDetailApi.as_view()),
    path("reviews/<int:pk>/votes/", apis.VoteApi.as_view()),
    path("products/<int:pk>/reviews/", apis.ProductReviewListApi.as_view()),
]
