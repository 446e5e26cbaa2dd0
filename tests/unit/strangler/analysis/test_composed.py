"""Forms kept by a key, and rows that a class is made with by those who list it."""

import pytest

from tests.unit.strangler.analysis.places import found

HERE = "shop/reviews/views.py"
FORMS = (
    "from django import forms\nfrom django.views.generic import UpdateView\nfrom shop.catalog.models import Product\n"
    "from shop.reviews.models import Review\n"
    "class NameForm(forms.ModelForm):\n    class Meta:\n        model = Product\n"
    "class PlainForm(forms.Form):\n    pass\n"
)
PART = (
    "class Part:\n    def __init__(self, object=None):\n        self.object = object\n"
    "class NamePart(Part):\n    def shown(self):\n        return self.object.reviews.all()\n"
    "    def done(self):\n        self.object.save()\n"
)


@pytest.mark.parametrize(
    "code",
    [
        "class V:\n    def forms(self):\n        yield Kept('name', NameForm, required=True)\n"
        "    def done(self, form):\n        form['name'].save()",
        "class V:\n    def forms(self):\n        yield Kept(name='name', form_class=NameForm)\n"
        "    def done(self, group):\n        one = group.forms['name']\n        one.save()",
        "class V:\n    form_list = [('name', NameForm), ('plain', PlainForm)]\n"
        "    def done(self, form_list, form_dict):\n        form_dict['name'].save()",
        "class V:\n    form_classes = {'name': NameForm}\n    def done(self, forms):\n        forms['name'].save()",
        "class V:\n    key = 'name'\n    def forms(self):\n        yield Kept(self.key, NameForm)\n"
        "    def done(self, form):\n        form[self.key].save()",
        "class NameFormSet(forms.BaseModelFormSet):\n    model = Product\nclass V:\n    key = 'name'\n"
        "    formset = NameFormSet\n    def forms(self):\n        yield Kept(self.key, self.formset)\n"
        "    def done(self, form):\n        form.forms[self.key].save()",
        # What a factory makes.
        "Names = forms.modelformset_factory(Product)\n"
        "def f(request):\n    names = Names(request.POST)\n    names.save()",
        "Names = forms.inlineformset_factory(Review, Product)\n"
        "def f(request):\n    for one in Names(request.POST).forms:\n        one.save()",
        "def f(request):\n    form = forms.modelform_factory(Product)(request.POST)\n    form.save()",
    ],
)
def test_a_form_that_is_kept_or_made_is_saved(tmp_path, code):
    last = (FORMS + code).count("\n") + 1
    assert [line for line in found(tmp_path, HERE, FORMS + code, "write") if line.startswith(f"{last}:")]


@pytest.mark.parametrize(
    "code",
    [
        "class V:\n    form_list = [('name', NameForm)]\n    def done(self, form):\n        form['other'].save()",
        "class V:\n    form_list = [('name', NameForm)]\n"
        "class W:\n    def done(self, form):\n        form['name'].save()",
        "class V:\n    form_list = [('name', NameForm)]\n    def done(self, form):\n"
        "        form['name'].save(commit=False)",
    ],
)
def test_no_form_is_saved_of_another_key_or_class_or_without_commit(tmp_path, code):
    last = (FORMS + code).count("\n") + 1
    assert not [line for line in found(tmp_path, HERE, FORMS + code, "write") if line.startswith(f"{last}:")]


@pytest.mark.parametrize(
    "code",
    [
        "class V(UpdateView):\n    model = Product\n    parts = [NamePart]",
        "class V(UpdateView):\n    model = Product\n    part_class = NamePart",
        "class V(UpdateView):\n    form_class = NameForm\n    part_class = NamePart",
        "class V(UpdateView):\n    model = Product\n    def parts(self):\n        some = []\n"
        "        some.append(NamePart)",
        "class V(UpdateView):\n    model = Product\n    key = 'parts'\n"
        "class C:\n    provides = {'parts': ['shop.reviews.views:NamePart']}",
        "class Other(Part):\n    def shown(self):\n        return NameForm(instance=self.object)\n"
        "    def named(self):\n        self.object.save()",
    ],
)
def test_a_class_is_about_the_row_of_who_lists_it_or_of_its_own_form(tmp_path, code):
    text = FORMS + PART + code
    lines = [line for line in found(tmp_path, HERE, text, "write") if "save()" in line]
    assert len(lines) == 1, lines


def test_a_class_that_two_models_views_list_is_one_of_them_where_only_one_fits(tmp_path):
    two = "class V(UpdateView):\n    model = Product\n    parts = [NamePart]\n"
    two += "class W(UpdateView):\n    model = Review\n    parts = [NamePart]\n"
    lines = found(tmp_path, HERE, FORMS + PART + two, "navigation")
    assert len(lines) == 1
    assert "catalog.Product -> reviews.Review" in lines[0]
    assert not [line for line in found(tmp_path, HERE, FORMS + PART + two, "write") if "save()" in line]
