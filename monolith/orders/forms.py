from django import forms


class CheckoutForm(forms.Form):
    """Where to; the hidden number makes sending the form twice one order."""

    number = forms.UUIDField(widget=forms.HiddenInput)
    address = forms.CharField(widget=forms.Textarea(attrs={"rows": 4}), max_length=500, label="Delivery address")
