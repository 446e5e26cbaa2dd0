"""A monolith of three tables."""

from django.db import models

from strangler import deletion


class Product(models.Model):
    name = models.CharField(max_length=100, unique=True)
    price = models.DecimalField(max_digits=10, decimal_places=2, default=1)


class Review(models.Model):
    product = models.ForeignKey(Product, on_delete=deletion.cascade, related_name="reviews")
    author = models.CharField(max_length=100)
    body = models.TextField(default="")
    public = models.BooleanField(default=True)
    written_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        unique_together = [("product", "author")]


class Vote(models.Model):
    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="votes")
    helpful = models.BooleanField()
