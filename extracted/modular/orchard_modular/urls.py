from django.urls import path
from reviews_service.reviews import apis

from monolith.urls import urlpatterns as orchard

urlpatterns = [
    path("api/reviews/", apis.ReviewListApi.as_view()),
    path("api/reviews/ratings/", apis.RatingListApi.as_view()),
    path("api/reviews/<int:pk>/", apis.ReviewDetailApi.as_view()),
    path("api/reviews/<int:pk>/votes/", apis.VoteApi.as_view()),
    path("api/products/<int:pk>/reviews/", apis.ProductReviewListApi.as_view()),
    *orchard,
]
