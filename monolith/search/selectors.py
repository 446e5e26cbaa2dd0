from django.db.models import Q

from monolith.catalog.models import Product


def products_matching(words):
    """Products with every word somewhere in name, description or category, the best rated first."""
    products = Product.objects.select_related("category")
    for word in words.split():
        products = products.filter(
            Q(name__icontains=word) | Q(description__icontains=word) | Q(category__name__icontains=word)
        )
    return products.order_by("-rating_average", "-rating_count", "id")
