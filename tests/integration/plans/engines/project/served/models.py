"""What the service keeps of the monolith: reviews and votes, and a copy of some columns of the products."""

from django.db import models


class Product(models.Model):
    name = models.CharField(max_length=100)

    class Meta:
        db_table = "shop_product"


class Review(models.Model):
    product_id = models.BigIntegerField()
    author = models.CharField(max_length=100)
    body = models.TextField(default="")
    public = models.BooleanField(default=True)
    written_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "shop_review"
        unique_together = [("product_id", "author")]


class Vote(models.Model):
    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="votes")
    helpful = models.BooleanField()

    class Meta:
        db_table = "shop_vote"
