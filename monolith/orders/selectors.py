from monolith.catalog.models import Product
from monolith.orders.models import Line, Order


def orders_of(customer):
    return Order.objects.filter(customer=customer).prefetch_related("lines")


def also_bought(product, limit=4):
    """Other products in the orders that had this one, the most recent orders first."""
    orders = Line.objects.filter(product=product).order_by("-order_id").values_list("order_id", flat=True)[:50]
    others = Line.objects.filter(order__in=list(orders), product__isnull=False).exclude(product=product)
    return Product.objects.filter(pk__in=others.values("product_id"))[:limit]
