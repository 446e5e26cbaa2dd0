from urllib.parse import quote_plus

from django.core.paginator import Paginator
from django.shortcuts import render
from django.views.decorators.http import require_safe

from monolith.search.selectors import products_matching

PAGE_SIZE = 24


@require_safe
def search(request):
    words = request.GET.get("q", "").strip()[:100]
    page = Paginator(products_matching(words), PAGE_SIZE).get_page(request.GET.get("page")) if words else None
    return render(request, "search/search.html", {"words": words, "words_in_url": quote_plus(words), "page": page})
