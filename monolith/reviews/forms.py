from django import forms


class ReviewForm(forms.Form):
    """The review form of the product page; its hidden reference makes sending it twice harmless."""

    reference = forms.UUIDField(widget=forms.HiddenInput)
    rating = forms.TypedChoiceField(
        coerce=int, choices=[(5, "5 – excellent"), (4, "4 – good"), (3, "3 – fair"), (2, "2 – poor"), (1, "1 – bad")]
    )
    title = forms.CharField(max_length=200)
    body = forms.CharField(widget=forms.Textarea(attrs={"rows": 5}), required=False, label="Your review")


class VoteForm(forms.Form):
    helpful = forms.TypedChoiceField(coerce=lambda value: value == "yes", choices=[("yes", "Yes"), ("no", "No")])
