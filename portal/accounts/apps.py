"""Accounts as a Django app."""

from django.apps import AppConfig, apps
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "portal.accounts"
    label = "accounts"

    def ready(self) -> None:
        from portal.accounts.known_users import forget_after_changes
        from portal.accounts.polling import forget_sessions_after_changes
        from portal.accounts.roles import sync_roles
        from portal.accounts.unsaved_forms import hand_over_form

        # Once for each `migrate`, when the rights of all apps are there.
        *_, last = (app for app in apps.get_app_configs() if app.models_module)
        post_migrate.connect(sync_roles, sender=last, dispatch_uid="accounts.sync_roles")
        user_logged_in.connect(hand_over_form, dispatch_uid="accounts.hand_over")
        forget_after_changes()
        forget_sessions_after_changes()
