from decimal import Decimal

from django.utils import timezone

from monolith.catalog.models import Product


def product_rating_update(*, product_id, average, count):
    """Copy a rating onto its product; does nothing where it is there already or the product is gone."""
    average = Decimal(str(average)).quantize(Decimal("0.01"))
    stale = Product.objects.filter(pk=product_id).exclude(rating_average=average, rating_count=count)
    stale.update(rating_average=average, rating_count=count, rating_changed_at=timezone.now())
