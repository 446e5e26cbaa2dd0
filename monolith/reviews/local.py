"""The reviews in Orchard's own database, seen through the gateway."""

from django.core.paginator import EmptyPage, Paginator

from monolith.reviews import selectors, services
from monolith.reviews.values import ReviewCard, ReviewPage

PAGE_SIZE = 20


class LocalReviews:
    def page(self, *, product=None, author=None, ordering=selectors.NEWEST_FIRST, number=1):
        pages = Paginator(selectors.review_list(product=product, author=author, ordering=ordering), PAGE_SIZE)
        try:
            page = pages.page(number)
        except EmptyPage:
            return ReviewPage(count=pages.count, number=number, has_next=False, results=())
        return ReviewPage(
            count=pages.count,
            number=page.number,
            has_next=page.has_next(),
            results=tuple(_card(review) for review in page),
        )

    def get(self, review_id):
        return _card(selectors.review_get(review_id))

    def write(self, *, actor, product, rating, title, body, reference):
        review, _ = services.review_create(
            author=actor, product_id=product, rating=rating, title=title, body=body, reference=reference
        )
        return _card(review)

    def vote(self, *, actor, review, helpful):
        voted, _ = services.vote_cast(voter=actor, review_id=review, helpful=helpful)
        return _card(voted)

    def set_status(self, *, actor, review, status):
        return _card(services.review_update(actor=actor, review_id=review, status=status))

    def forget(self, *, actor, product=None, author=None):
        services.reviews_forget(actor=actor, product=product, author=author)

    def ratings(self, *, products):
        return selectors.ratings(products=products)

    def ratings_changed_since(self, moment):
        return selectors.ratings_changed_since(moment)


def _card(review):
    return ReviewCard(
        id=review.pk,
        reference=review.reference,
        product=review.product_id,
        product_name=review.product.name,
        author_id=review.author_id,
        author=review.author.username,
        rating=review.rating,
        title=review.title,
        body=review.body,
        status=review.status,
        helpful_votes=review.helpful_votes,
        votes=review.votes,
        created_at=review.created_at,
        updated_at=review.updated_at,
    )
