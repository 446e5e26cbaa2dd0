import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone


class Stock(models.Model):
    """How many of a product are in the warehouse."""

    product = models.OneToOneField("catalog.Product", on_delete=models.CASCADE, related_name="stock")
    on_hand = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "stock"

    def __str__(self):
        return f"{self.on_hand} in stock"


class Order(models.Model):
    class Status(models.TextChoices):
        PAID = "paid"
        PACKED = "packed"
        SHIPPED = "shipped"
        CANCELLED = "cancelled"

    number = models.UUIDField(default=uuid.uuid4, unique=True)
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="orders")
    status = models.CharField(max_length=20, choices=Status, default=Status.PAID)
    total = models.DecimalField(max_digits=12, decimal_places=2)
    address = models.TextField()
    placed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-placed_at", "-id"]

    def __str__(self):
        return f"Order {self.short_number}"

    @property
    def short_number(self):
        return str(self.number)[:8].upper()


class Line(models.Model):
    """One product of an order, with the name and price it had then."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey("catalog.Product", on_delete=models.SET_NULL, null=True, related_name="+")
    name = models.CharField(max_length=200)
    price = models.DecimalField(max_digits=10, decimal_places=2)
    quantity = models.PositiveIntegerField()

    def __str__(self):
        return f"{self.quantity} × {self.name}"

    @property
    def amount(self):
        return self.price * self.quantity


class Payment(models.Model):
    order = models.OneToOneField(Order, on_delete=models.CASCADE, related_name="payment")
    provider_reference = models.CharField(max_length=100)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    paid_at = models.DateTimeField(default=timezone.now)

    def __str__(self):
        return self.provider_reference
