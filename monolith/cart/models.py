from django.db import models
from django.utils import timezone


class Item(models.Model):
    """One product in somebody's cart; the cart's key lies in the session."""

    cart = models.UUIDField()
    product = models.ForeignKey("catalog.Product", on_delete=models.CASCADE, related_name="+")
    quantity = models.PositiveIntegerField(default=1)
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cart", "product"], name="cart_item_once")]

    def __str__(self):
        return f"{self.quantity} × {self.product}"

    @property
    def amount(self):
        return self.product.price * self.quantity
