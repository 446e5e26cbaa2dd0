from django import forms

from monolith.cart.services import MOST


class QuantityForm(forms.Form):
    quantity = forms.IntegerField(min_value=0, max_value=MOST)
