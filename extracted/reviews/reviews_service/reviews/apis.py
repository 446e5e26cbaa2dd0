"""The reviews' REST interface."""

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.response import Response

from reviews_service.reviews import errors, selectors, services
from reviews_service.reviews.models import Product, Review
from reviews_service.reviews.serializers import (
    ForgetFilter,
    RatingFilter,
    RatingOutput,
    ReviewChange,
    ReviewFilter,
    ReviewInput,
    ReviewOutput,
    VoteInput,
)

_ORDERING = OpenApiParameter("ordering", str, enum=sorted(selectors.ORDERINGS))
_PAGE = OpenApiParameter("page", int)
_PRODUCT = OpenApiParameter("product", int)
_AUTHOR = OpenApiParameter("author", int)


class Conflict(APIException):
    status_code = status.HTTP_409_CONFLICT


class ReviewsApi(GenericAPIView):
    """Base: our own errors become DRF's."""

    queryset = Review.objects.none()
    serializer_class = ReviewOutput

    def handle_exception(self, exc):
        return super().handle_exception(_as_http(exc))

    def paged(self, reviews):
        page = self.paginate_queryset(reviews)
        return self.get_paginated_response(ReviewOutput(page, many=True).data)


class ReviewListApi(ReviewsApi):
    @extend_schema(
        operation_id="reviews_list",
        parameters=[_PRODUCT, _AUTHOR, _ORDERING, _PAGE],
        responses=ReviewOutput(many=True),
    )
    def get(self, request):
        return self.paged(selectors.review_list(**_filters(request)))

    @extend_schema(operation_id="reviews_create", request=ReviewInput, responses={201: ReviewOutput, 200: ReviewOutput})
    def post(self, request):
        """Write a review; the same `reference` again answers 200 with the first one."""
        given = _validated(ReviewInput, request.data)
        review, created = services.review_create(author=request.user, product_id=given.pop("product"), **given)
        return Response(ReviewOutput(review).data, status=201 if created else 200)

    @extend_schema(operation_id="reviews_forget", parameters=[_PRODUCT, _AUTHOR], responses={204: None})
    def delete(self, request):
        """Forget a product's or a person's reviews (staff only); give exactly one of the two."""
        services.reviews_forget(actor=request.user, **_validated(ForgetFilter, request.query_params.dict()))
        return Response(status=204)


class ProductReviewListApi(ReviewsApi):
    @extend_schema(
        operation_id="products_reviews_list", parameters=[_ORDERING, _PAGE], responses=ReviewOutput(many=True)
    )
    def get(self, request, pk):
        if not Product.objects.filter(pk=pk).exists():
            raise Http404
        return self.paged(selectors.review_list(**(_filters(request) | {"product": pk})))


class ReviewDetailApi(ReviewsApi):
    @extend_schema(operation_id="reviews_retrieve")
    def get(self, request, pk):
        return Response(ReviewOutput(selectors.review_get(pk)).data)

    @extend_schema(operation_id="reviews_update", request=ReviewChange)
    def patch(self, request, pk):
        changes = _validated(ReviewChange, request.data)
        return Response(ReviewOutput(services.review_update(actor=request.user, review_id=pk, **changes)).data)

    @extend_schema(operation_id="reviews_delete", responses={204: None})
    def delete(self, request, pk):
        services.review_delete(actor=request.user, review_id=pk)
        return Response(status=204)


class VoteApi(ReviewsApi):
    @extend_schema(operation_id="reviews_vote", request=VoteInput, responses={201: ReviewOutput, 200: ReviewOutput})
    def post(self, request, pk):
        """Say whether a review helped; voting again changes the vote and answers 200."""
        given = _validated(VoteInput, request.data)
        review, created = services.vote_cast(voter=request.user, review_id=pk, **given)
        return Response(ReviewOutput(review).data, status=201 if created else 200)


class RatingListApi(ReviewsApi):
    serializer_class = RatingOutput
    pagination_class = None

    @extend_schema(
        operation_id="reviews_ratings",
        parameters=[OpenApiParameter("product", int, many=True), OpenApiParameter("changed_since", str)],
        responses=RatingOutput(many=True),
    )
    def get(self, request):
        """Averages of the given products, or of those whose reviews changed since a time."""
        given = {"product": request.query_params.getlist("product")} if "product" in request.query_params else {}
        if "changed_since" in request.query_params:
            given["changed_since"] = request.query_params["changed_since"]
        asked = _validated(RatingFilter, given)
        if "product" in asked:
            ratings = selectors.ratings(products=asked["product"])
        elif "changed_since" in asked:
            ratings = selectors.ratings_changed_since(asked["changed_since"])
        else:
            raise ValidationError("Give 'product', once or more often, or 'changed_since'.")
        return Response(RatingOutput(ratings, many=True).data)


def _validated(serializer, data):
    filled = serializer(data=data)
    filled.is_valid(raise_exception=True)
    return filled.validated_data


def _filters(request):
    given = _validated(ReviewFilter, request.query_params.dict())
    if given.get("ordering", selectors.NEWEST_FIRST) not in selectors.ORDERINGS:
        raise ValidationError({"ordering": [f"Choose one of {', '.join(sorted(selectors.ORDERINGS))}."]})
    return given


def _as_http(error):
    match error:
        case errors.NotFound():
            return exceptions.NotFound(str(error))
        case errors.Forbidden():
            return exceptions.PermissionDenied(str(error))
        case errors.Conflict():
            return Conflict(str(error))
    return error
