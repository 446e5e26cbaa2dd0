from django.db.models import Count

from monolith.catalog.models import Category, Product


def product_list(*, category=None):
    products = Product.objects.select_related("category")
    return products.filter(category__slug=category) if category else products


def products_best_rated(*, minimum_reviews=3, limit=8):
    rated = product_list().filter(rating_count__gte=minimum_reviews)
    return rated.order_by("-rating_average", "-rating_count", "id")[:limit]


def category_list():
    return Category.objects.annotate(number=Count("products")).order_by("name")
