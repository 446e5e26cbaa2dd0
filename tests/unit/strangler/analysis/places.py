"""Small projects as texts, and what the map says of them."""

from pathlib import Path
from textwrap import dedent

from strangler.analysis.kept import Kept
from strangler.analysis.mapping import Map, make_map

SHOP = {
    "shop/__init__.py": "",
    "shop/catalog/__init__.py": "",
    "shop/catalog/models.py": """
        from django.db import models

        class Category(models.Model):
            name = models.CharField(max_length=20)

        class Product(models.Model):
            category = models.ForeignKey(Category, models.CASCADE, related_name="products")
            name = models.CharField(max_length=20)
    """,
    "shop/people/__init__.py": "",
    "shop/people/models.py": """
        from django.contrib.auth.models import AbstractUser

        class User(AbstractUser):
            pass
    """,
    "shop/settings.py": 'AUTH_USER_MODEL = "people.User"',
    "shop/reviews/__init__.py": "",
    "shop/reviews/models.py": """
        from django.conf import settings
        from django.db import models

        class Review(models.Model):
            product = models.ForeignKey("catalog.Product", models.CASCADE, related_name="reviews")
            author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
            rating = models.IntegerField()
    """,
}


def make(root: Path, files: dict[str, str]) -> Path:
    """Write the files below a folder."""
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(dedent(text).lstrip("\n"))
    return root


def mapped(root: Path, files: dict[str, str]) -> Map:
    """The map of a project of these files alone."""
    return make_map(make(root, files), Kept(None))


def found(root: Path, path: str, text: str, *kinds: str, shop: dict[str, str] = SHOP) -> list[str]:
    """What one more file of the shop is coupled to, as "line: source -> target, kind (detail)"."""
    made = mapped(root, {**shop, path: text})
    return [
        str(coupling).removeprefix(f"{path}:")
        for coupling in made.couplings
        if coupling.path == path and (not kinds or coupling.kind in kinds)
    ]
