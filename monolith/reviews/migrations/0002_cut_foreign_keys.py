"""Drops the constraints from reviews and votes to products and people.

The columns and the models' relations stay, so nothing changes for the ORM, and undoing it puts the constraints back.
"""

from django.conf import settings
from django.db import migrations, models

import monolith.reviews.deletion


def _cut(model, name, related_name, to):
    return migrations.AlterField(
        model_name=model,
        name=name,
        field=models.ForeignKey(
            db_constraint=False,
            on_delete=monolith.reviews.deletion.cascade_while_local,
            related_name=related_name,
            to=to,
        ),
    )


class Migration(migrations.Migration):
    dependencies = [("reviews", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                _cut("review", "product", "reviews", "catalog.product"),
                _cut("review", "author", "reviews", settings.AUTH_USER_MODEL),
                _cut("vote", "voter", "votes", settings.AUTH_USER_MODEL),
            ],
            state_operations=[],
        )
    ]
