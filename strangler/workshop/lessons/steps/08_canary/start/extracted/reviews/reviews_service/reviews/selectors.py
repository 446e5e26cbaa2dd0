"""Reads."""

from dataclasses import dataclass

from django.db.models import Avg, CharField, Count, IntegerField, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce
from reviews_service.reviews.errors import NotFound
from reviews_service.reviews.models import Person, Product, Review, Vote

ORDERINGS = {"created_at", "-created_at", "rating", "-rating", "helpful_votes", "-helpful_votes"}
NEWEST_FIRST = "-created_at"


@dataclass(frozen=True, kw_only=True)
class Rating:
    """A product's average from 1 to 5, rounded to hundredths, and how many reviews it is made of."""

    product: int
    average: float
    count: int


def review_list(*, product=None, author=None, ordering=NEWEST_FIRST):
    """Reviews with names and counted votes; flagged ones are left out."""
    reviews = _with_names_and_votes(Review.objects.filter(status=Review.Status.PUBLISHED))
    if product is not None:
        reviews = reviews.filter(product_id=product)
    if author is not None:
        reviews = reviews.filter(author_id=author)
    return reviews.order_by(ordering, "-id")


def review_get(review_id):
    try:
        return _with_names_and_votes(Review.objects).get(pk=review_id)
    except Review.DoesNotExist:
        raise NotFound(f"There is no review {review_id}.") from None


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
    """Ratings of the products whose reviews were written or edited at or after `moment`."""
    changed = Review.objects.filter(updated_at__gte=moment).order_by("product_id").values_list("product_id", flat=True)
    return ratings(products=list(changed.distinct()))


def _with_names_and_votes(reviews):
    # Subqueries, not joins: a copy that is late must not hide a review, and a page's votes are counted row by row.
    votes = Vote.objects.filter(review=OuterRef("pk")).order_by()
    return reviews.annotate(
        # What has no price yet is not for sale, and its name is nobody's business.
        product_name=_name(Product.objects.filter(price__gt=0), "product_id", "name"),
        author_name=_name(Person.objects, "author_id", "username"),
        votes=_number_of(votes),
        helpful_votes=_number_of(votes.filter(helpful=True)),
    )


def _name(rows, key, column):
    found = rows.filter(pk=OuterRef(key)).values(column)
    return Coalesce(Subquery(found, output_field=CharField()), Value(""))


def _number_of(rows):
    counted = rows.values("review").annotate(number=Count("id")).values("number")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)
