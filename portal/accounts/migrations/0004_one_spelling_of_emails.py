"""Stores the e-mail addresses of users in the one spelling by which they are found."""

import unicodedata

from django.db import migrations


def normalise(text):
    folded = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", folded).strip()


def normalise_stored_emails(apps, _schema_editor):
    """An address that another user has already stays as it is; that user can be found by it."""
    users = apps.get_model("accounts", "User").objects.all()
    for user in users.only("pk", "email"):
        email = normalise(user.email)
        if email != user.email and not users.exclude(pk=user.pk).filter(email=email).exists():
            users.filter(pk=user.pk).update(email=email)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_forget_old_sessions")]
    operations = [migrations.RunPython(normalise_stored_emails, migrations.RunPython.noop)]
