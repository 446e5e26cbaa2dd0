import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone


class Review(models.Model):
    """What one person says about one product.

    `reference` is chosen by the client: sending the same review twice leaves one.
    """

    class Status(models.TextChoices):
        PUBLISHED = "published"
        FLAGGED = "flagged"

    reference = models.UUIDField(default=uuid.uuid4, unique=True)
    product = models.ForeignKey("catalog.Product", on_delete=models.CASCADE, related_name="reviews")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="reviews")
    rating = models.SmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(5)])
    title = models.CharField(max_length=200)
    body = models.TextField(blank=True)
    status = models.CharField(max_length=20, choices=Status, default=Status.PUBLISHED)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["product", "author"], name="reviews_review_one_each")]
        indexes = [models.Index(fields=["-created_at", "-id"], name="reviews_review_newest")]

    def __str__(self):
        return self.title


class Vote(models.Model):
    """One person's word on whether a review helped."""

    reference = models.UUIDField(default=uuid.uuid4, unique=True)
    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="vote_rows")
    voter = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="votes")
    helpful = models.BooleanField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["review", "voter"], name="reviews_vote_one_each")]

    def __str__(self):
        return "helpful" if self.helpful else "not helpful"


class Cursor(models.Model):
    """How far a periodic task has come. Stays with Orchard wherever the reviews live."""

    name = models.CharField(max_length=50, unique=True)
    position = models.DateTimeField()

    def __str__(self):
        return self.name


class Forgetting(models.Model):
    """A product or a person is gone, and the reviews still have to be told. Stays with Orchard."""

    class Kind(models.TextChoices):
        PRODUCT = "product"
        AUTHOR = "author"

    kind = models.CharField(max_length=10, choices=Kind)
    key = models.BigIntegerField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="reviews_forgetting_once")]

    def __str__(self):
        return f"{self.kind} {self.key}"
