"""Models of every odd kind, in a registry of their own; nothing is made in any database."""

from contextlib import contextmanager

from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.test.utils import isolate_apps

from strangler import deletion
from strangler.plans.schema import schema_of


@contextmanager
def tiny():
    """The classes by name, and the schema read from them; all belong to the app "cart"."""
    with isolate_apps("monolith.cart") as apps:

        class Base(models.Model):
            class Meta:
                abstract = True
                app_label = "cart"

        class Place(Base):
            name = models.CharField(max_length=20, unique=True)

        class Cafe(Place):
            seats = models.IntegerField()

            class Meta:
                app_label = "cart"

        class NearPlace(Place):
            class Meta:
                proxy = True
                app_label = "cart"

        class Menu(Base):
            cafe = models.OneToOneField(Cafe, on_delete=deletion.cascade, primary_key=True)

        class Stay(Base):
            cafe = models.ForeignKey(Cafe, on_delete=deletion.cascade)
            guest = models.ForeignKey("Person", on_delete=deletion.cascade)

        class Dish(Base):
            pk = models.CompositePrimaryKey("menu_id", "number")
            menu = models.ForeignKey(Menu, on_delete=deletion.cascade)
            number = models.IntegerField()

        class Tag(Base):
            name = models.CharField(max_length=20)
            parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True)
            places = models.ManyToManyField(Place)

        class Note(Base):
            about_type = models.ForeignKey(ContentType, on_delete=deletion.cascade)
            about_key = models.TextField()
            about = GenericForeignKey("about_type", "about_key")
            place = models.ForeignKey(
                Place, on_delete=deletion.set_null, to_field="name", db_constraint=False, null=True
            )

        class Person(Base):
            cafes = models.ManyToManyField(Cafe, through=Stay)
            notes = GenericRelation(Note, "about_key", "about_type")

        class Visit(Base):
            person = models.ForeignKey(Person, on_delete=models.PROTECT)

            class Meta:
                app_label = "cart"
                managed = False
                db_table = "old_visits"

        class Mirror(Base):
            class Meta:
                app_label = "cart"
                managed = False
                db_table = "cart_person"

        class Old(Base):
            class Meta:
                app_label = "cart"
                swappable = "CART_OLD_MODEL"

        yield {name: value for name, value in locals().items() if isinstance(value, type)}, schema_of(apps)
