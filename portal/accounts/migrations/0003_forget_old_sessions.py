"""Deletes the sessions from before 0002: they sign nobody in, and nothing else deletes them."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_sessions"), ("sessions", "0001_initial")]
    operations = [migrations.RunSQL("DELETE FROM django_session", migrations.RunSQL.noop)]
