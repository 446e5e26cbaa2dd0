from django.db import migrations, models

import strangler.deletion


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.AlterField(
                    model_name="review",
                    name="product",
                    field=models.ForeignKey(
                        db_constraint=False,
                        on_delete=strangler.deletion.cascade,
                        related_name="reviews",
                        to="shop.product",
                    ),
                )
            ],
            state_operations=[],
        )
    ]
