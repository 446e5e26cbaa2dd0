"""Drops the constraint from notifications to people.

The column and the model's relation stay, so nothing changes for the ORM, and undoing it puts the constraint back.
"""

from django.conf import settings
from django.db import migrations, models

import monolith.notifications.deletion


class Migration(migrations.Migration):
    dependencies = [("notifications", "0002_events")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.AlterField(
                    model_name="notification",
                    name="user",
                    field=models.ForeignKey(
                        db_constraint=False,
                        on_delete=monolith.notifications.deletion.cascade_while_local,
                        related_name="notifications",
                        to=settings.AUTH_USER_MODEL,
                    ),
                )
            ],
            state_operations=[],
        )
    ]
