"""Our reviews and votes, and what we hold of products and people."""

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone


class Product(models.Model):
    """A read-only copy; the shop's catalogue owns products."""

    id = models.BigIntegerField(primary_key=True)
    name = models.CharField(max_length=200)
    price = models.DecimalField(max_digits=8, decimal_places=2, default=0)

    class Meta:
        db_table = "catalog_product"

    def __str__(self):
        return self.name


class Person(models.Model):
    """A read-only copy; the shop's accounts own people."""

    id = models.BigIntegerField(primary_key=True)
    username = models.CharField(max_length=150)

    class Meta:
        db_table = "accounts_user"

    def __str__(self):
        return self.username


class Review(models.Model):
    """What one person says about one product.

    `reference` is chosen by the client: sending the same review twice leaves one. Products and people are named by
    number only: they live elsewhere, and their copies may be a moment late.
    """

    class Status(models.TextChoices):
        PUBLISHED = "published"
        FLAGGED = "flagged"

    reference = models.UUIDField(default=uuid.uuid4, unique=True)
    product_id = models.BigIntegerField(db_index=True)
    author_id = models.BigIntegerField(db_index=True)
    rating = models.SmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(5)])
    title = models.CharField(max_length=200)
    body = models.TextField(blank=True)
    status = models.CharField(max_length=20, choices=Status, default=Status.PUBLISHED)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["product_id", "author_id"], name="reviews_review_one_each")]
        indexes = [models.Index(fields=["-created_at", "-id"], name="reviews_review_newest")]

    def __str__(self):
        return self.title


class Vote(models.Model):
    """One person's word on whether a review helped."""

    reference = models.UUIDField(default=uuid.uuid4, unique=True)
    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="vote_rows")
    voter_id = models.BigIntegerField(db_index=True)
    helpful = models.BooleanField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["review", "voter_id"], name="reviews_vote_one_each")]

    def __str__(self):
        return "helpful" if self.helpful else "not helpful"
