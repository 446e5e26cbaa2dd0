from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='RouteMinute',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('minute', models.DateTimeField()),
                ('route', models.CharField(max_length=200)),
                ('requests', models.PositiveIntegerField(default=0)),
                ('errors', models.PositiveIntegerField(default=0)),
                ('milliseconds', models.FloatField(default=0)),
                ('slowest', models.FloatField(default=0)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('minute', 'route'), name='monitoring_route_minute')],
            },
        ),
    ]
