from uuid import uuid4

import pytest

from monolith.reviews import selectors, services
from monolith.reviews.errors import ReviewConflict, ReviewForbidden, ReviewNotFound
from monolith.reviews.models import Review, Vote


def test_rating_on_the_product_follows_its_reviews(ada, ben, product):
    first, _ = services.review_create(author=ada, product_id=product.pk, rating=5, title="Good")
    services.review_create(author=ben, product_id=product.pk, rating=2, title="Poor")
    product.refresh_from_db()
    assert (float(product.rating_average), product.rating_count) == (3.5, 2)
    services.review_delete(actor=ada, review_id=first.pk)
    product.refresh_from_db()
    assert (float(product.rating_average), product.rating_count) == (2.0, 1)


def test_same_reference_again_gives_the_first_review(ada, product):
    reference = uuid4()
    first, created = services.review_create(
        author=ada, product_id=product.pk, rating=5, title="Good", reference=reference
    )
    again, created_again = services.review_create(
        author=ada, product_id=product.pk, rating=1, title="Changed my mind", reference=reference
    )
    assert (created, created_again) == (True, False)
    assert (again.pk, again.title) == (first.pk, "Good")


def test_reference_of_somebody_else_is_a_conflict(ada, ben, product):
    reference = uuid4()
    services.review_create(author=ada, product_id=product.pk, rating=5, title="Good", reference=reference)
    with pytest.raises(ReviewConflict):
        services.review_create(author=ben, product_id=product.pk, rating=5, title="Mine", reference=reference)


def test_second_review_of_a_product_is_a_conflict_and_leaves_the_first(ada, product):
    services.review_create(author=ada, product_id=product.pk, rating=5, title="Good")
    with pytest.raises(ReviewConflict):
        services.review_create(author=ada, product_id=product.pk, rating=1, title="Again")
    assert [review.title for review in Review.objects.all()] == ["Good"]


def test_review_of_no_product_is_refused(ada):
    with pytest.raises(ReviewNotFound):
        services.review_create(author=ada, product_id=999, rating=5, title="Good")


def test_only_author_and_staff_may_change_a_review(ada, ben, staff, product):
    review, _ = services.review_create(author=ada, product_id=product.pk, rating=5, title="Good")
    with pytest.raises(ReviewForbidden):
        services.review_update(actor=ben, review_id=review.pk, title="Mine")
    assert services.review_update(actor=ada, review_id=review.pk, title="Better").title == "Better"
    assert services.review_update(actor=staff, review_id=review.pk, title="Best").title == "Best"


def test_only_staff_may_flag_and_flagged_reviews_are_not_counted(ada, staff, product):
    review, _ = services.review_create(author=ada, product_id=product.pk, rating=5, title="Good")
    with pytest.raises(ReviewForbidden):
        services.review_update(actor=ada, review_id=review.pk, status="flagged")
    services.review_update(actor=staff, review_id=review.pk, status="flagged")
    assert list(selectors.review_list(product=product.pk)) == []
    assert selectors.rating_of(product.pk).count == 0


def test_voting_again_changes_the_vote(ada, ben, product):
    review, _ = services.review_create(author=ada, product_id=product.pk, rating=5, title="Good")
    voted, created = services.vote_cast(voter=ben, review_id=review.pk, helpful=True)
    assert (voted.helpful_votes, voted.votes, created) == (1, 1, True)
    voted, created = services.vote_cast(voter=ben, review_id=review.pk, helpful=False)
    assert (voted.helpful_votes, voted.votes, created) == (0, 1, False)


def test_vote_may_be_sent_twice_with_its_reference(ada, ben, product):
    review, _ = services.review_create(author=ada, product_id=product.pk, rating=5, title="Good")
    reference = uuid4()
    for _ in range(2):
        services.vote_cast(voter=ben, review_id=review.pk, helpful=True, reference=reference)
    assert [vote.reference for vote in Vote.objects.all()] == [reference]
    with pytest.raises(ReviewConflict):
        services.vote_cast(voter=ada, review_id=review.pk, helpful=True, reference=reference)


def test_forgetting_a_person_drops_reviews_and_votes(ada, ben, staff, product, other_product):
    services.review_create(author=ada, product_id=product.pk, rating=5, title="Good")
    kept, _ = services.review_create(author=ben, product_id=other_product.pk, rating=4, title="Fine")
    services.vote_cast(voter=ada, review_id=kept.pk, helpful=True)
    services.reviews_forget(actor=staff, author=ada.pk)
    services.reviews_forget(actor=staff, author=ada.pk)
    assert list(Review.objects.all()) == [kept]
    assert not Vote.objects.exists()


def test_deleted_review_counts_as_a_changed_rating(ada, product):
    review, _ = services.review_create(author=ada, product_id=product.pk, rating=5, title="Good")
    moment = selectors.review_get(review.pk).updated_at
    services.review_delete(actor=ada, review_id=review.pk)
    assert [(r.product, r.count) for r in selectors.ratings_changed_since(moment)] == [(product.pk, 0)]
