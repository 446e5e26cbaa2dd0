from django.utils.functional import SimpleLazyObject

from monolith.cart.selectors import cart_count, cart_of


def cart(request):
    """Context processor: the number in the header, looked up only by pages that show it."""
    return {"cart_count": SimpleLazyObject(lambda: cart_count(cart_of(request)))}
