"""Mails get a state, preferences a table of their own, and events an inbox."""

import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import monolith.notifications.deletion

# Eight attempts were the most until now.
_STATES = """
    UPDATE notifications_mail
       SET state = CASE WHEN sent_at IS NOT NULL THEN 'sent' WHEN attempts >= 8 THEN 'failed' ELSE 'queued' END
"""
_OUT_OF_THE_USER = """
    INSERT INTO notifications_preference (user_id, mail)
    SELECT id, preferences->'mail' NOT IN ('false', 'null', '0', '""') FROM accounts_user
     WHERE jsonb_exists(preferences, 'mail');
    UPDATE accounts_user SET preferences = preferences - 'mail' WHERE jsonb_exists(preferences, 'mail');
"""
_BACK_INTO_THE_USER = """
    UPDATE accounts_user u SET preferences = u.preferences || jsonb_build_object('mail', p.mail)
      FROM notifications_preference p WHERE p.user_id = u.id
"""


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0001_initial'),
        ('accounts', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='notification',
            name='user',
            field=models.ForeignKey(on_delete=monolith.notifications.deletion.cascade_while_local, related_name='notifications', to=settings.AUTH_USER_MODEL),
        ),
        migrations.CreateModel(
            name='Preference',
            fields=[
                ('user_id', models.BigIntegerField(primary_key=True, serialize=False)),
                ('mail', models.BooleanField()),
            ],
        ),
        migrations.CreateModel(
            name='Received',
            fields=[
                ('event', models.UUIDField(primary_key=True, serialize=False)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'verbose_name_plural': 'received',
            },
        ),
        migrations.CreateModel(
            name='Suppression',
            fields=[
                ('address', models.EmailField(max_length=254, primary_key=True, serialize=False)),
                ('reason', models.CharField(max_length=20)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.RunSQL(_OUT_OF_THE_USER, _BACK_INTO_THE_USER),
        migrations.AddField(
            model_name='mail',
            name='user_id',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='mail',
            name='state',
            field=models.CharField(choices=[('queued', 'Queued'), ('sending', 'Sending'), ('sent', 'Sent'), ('suppressed', 'Suppressed'), ('failed', 'Failed')], default='queued', max_length=20),
        ),
        migrations.AddField(
            model_name='mail',
            name='claimed_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='mail',
            name='message_id',
            field=models.CharField(blank=True, default='', max_length=200),
            preserve_default=False,
        ),
        migrations.RunSQL(_STATES, migrations.RunSQL.noop),
        migrations.RemoveIndex(
            model_name='mail',
            name='notifications_mail_due',
        ),
        migrations.AddIndex(
            model_name='mail',
            index=models.Index(condition=models.Q(('state__in', ['queued', 'sending'])), fields=['next_try_at'], name='notifications_mail_due'),
        ),
    ]
