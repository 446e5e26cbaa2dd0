from django.urls import path
from drf_spectacular.views import SpectacularAPIView
from reviews_service import health
from reviews_service.reviews import apis

urlpatterns = [
    path("health/", health.live),
    path("health/rehearsal/", health.rehearsal),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/reviews/", apis.ReviewListApi.as_view()),
    path("api/reviews/ratings/", apis.RatingListApi.as_view()),
    path("api/reviews/<int:pk>/", apis.ReviewDetailApi.as_view()),
    path("api/reviews/<int:pk>/votes/", apis.VoteApi.as_view()),
]
