"""Reads of the reviews that live here."""

from django.db.models import Avg, Count, IntegerField, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from monolith.catalog.models import Product
from monolith.reviews.errors import ReviewNotFound
from monolith.reviews.models import Review, Vote
from monolith.reviews.values import Rating

ORDERINGS = {"created_at", "-created_at", "rating", "-rating", "helpful_votes", "-helpful_votes"}
NEWEST_FIRST = "-created_at"


def review_list(*, product=None, author=None, ordering=NEWEST_FIRST):
    """Reviews with author, product and counted votes; flagged ones are left out."""
    reviews = _with_votes(Review.objects.filter(status=Review.Status.PUBLISHED))
    if product is not None:
        reviews = reviews.filter(product_id=product)
    if author is not None:
        reviews = reviews.filter(author_id=author)
    return reviews.order_by(ordering, "-id")


def review_get(review_id):
    try:
        return _with_votes(Review.objects).get(pk=review_id)
    except Review.DoesNotExist:
        raise ReviewNotFound(f"There is no review {review_id}.") from None


def rating_of(product_id):
    return ratings(products=[product_id])[0]


def ratings(*, products):
    """One rating for each of `products`, in that order; those without reviews count 0."""
    rows = (
        Review.objects.filter(product_id__in=products, status=Review.Status.PUBLISHED)
        .order_by()
        .values_list("product_id")
        .annotate(Avg("rating"), Count("id"))
    )
    known = {product: (round(float(average), 2), count) for product, average, count in rows}
    return [
        Rating(product=product, average=known.get(product, (0.0, 0))[0], count=known.get(product, (0.0, 0))[1])
        for product in products
    ]


def ratings_changed_since(moment):
    """Ratings of the products whose reviews changed at or after `moment`, deletions included."""
    edited = Review.objects.filter(updated_at__gte=moment).values("product_id")
    changed = Product.objects.filter(Q(rating_changed_at__gte=moment) | Q(pk__in=edited))
    return ratings(products=list(changed.order_by("id").values_list("id", flat=True)))


def _with_votes(reviews):
    # Counted per row by subqueries: joining and grouping would count the votes of every review before a page is cut.
    votes = Vote.objects.filter(review=OuterRef("pk")).order_by()
    return reviews.select_related("author", "product").annotate(
        votes=_number_of(votes), helpful_votes=_number_of(votes.filter(helpful=True))
    )


def _number_of(rows):
    counted = rows.values("review").annotate(number=Count("id")).values("number")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)
