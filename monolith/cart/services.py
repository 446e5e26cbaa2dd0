from django.db.models import F

from monolith.cart.models import Item

MOST = 99


def item_add(*, cart, product, quantity=1):
    item, created = Item.objects.get_or_create(cart=cart, product=product, defaults={"quantity": quantity})
    if not created:
        Item.objects.filter(pk=item.pk, quantity__lte=MOST - quantity).update(quantity=F("quantity") + quantity)


def item_set(*, cart, product_id, quantity):
    """Change a quantity; none at all takes the product out."""
    items = Item.objects.filter(cart=cart, product_id=product_id)
    if quantity:
        items.update(quantity=quantity)
    else:
        items.delete()
