import django.db.models.deletion
from django.db import migrations, models

import strangler.deletion


class Migration(migrations.Migration):
    initial = True
    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Product",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("name", models.CharField(max_length=100, unique=True)),
                ("price", models.DecimalField(decimal_places=2, default=1, max_digits=10)),
            ],
        ),
        migrations.CreateModel(
            name="Review",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=strangler.deletion.cascade, related_name="reviews", to="shop.product"
                    ),
                ),
                ("author", models.CharField(max_length=100)),
                ("body", models.TextField(default="")),
                ("public", models.BooleanField(default=True)),
                ("written_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={"unique_together": {("product", "author")}},
        ),
        migrations.CreateModel(
            name="Vote",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                (
                    "review",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="votes", to="shop.review"
                    ),
                ),
                ("helpful", models.BooleanField()),
            ],
        ),
    ]
