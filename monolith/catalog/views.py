from uuid import uuid4

from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from monolith.catalog.models import Category, Product
from monolith.catalog.selectors import category_list, product_list, products_best_rated
from monolith.orders.models import Stock
from monolith.orders.selectors import also_bought
from monolith.reviews.errors import ReviewsUnavailable
from monolith.reviews.forms import ReviewForm
from monolith.reviews.gateway import reviews

PAGE_SIZE = 24


@require_safe
def home(request):
    context = {"categories": category_list(), "best": products_best_rated(), "newest": product_list()[:8]}
    return render(request, "catalog/home.html", context)


@require_safe
def products(request):
    chosen = request.GET.get("category", "")
    category = get_object_or_404(Category, slug=chosen) if chosen else None
    page = Paginator(product_list(category=chosen), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "catalog/products.html", {"page": page, "category": category, "categories": category_list()})


@require_safe
def product(request, slug):
    shown = get_object_or_404(Product.objects.select_related("category"), slug=slug)
    return render(request, "catalog/product.html", product_context(request, shown))


def product_context(request, shown, form=None):
    """What the product's page shows; without reviews, and saying so, where these are away."""
    return {
        "product": shown,
        "stock": Stock.objects.filter(product=shown).first(),
        "also_bought": also_bought(shown),
        "reviews": _reviews_of(shown, request.GET.get("page", "1")),
        "form": form or ReviewForm(initial={"reference": uuid4()}),
    }


def _reviews_of(shown, page):
    number = int(page) if page.isdecimal() and 0 < int(page) < 100_000 else 1
    try:
        return reviews().page(product=shown.pk, number=number)
    except ReviewsUnavailable:
        return None
