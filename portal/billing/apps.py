"""Billing as a Django app."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "portal.billing"
    label = "billing"

    def ready(self) -> None:
        from portal.billing import selectors, services, signals
        from portal.patients.extensions import Extension, Tab, register_extension
        from portal.relay_loops import register_loop

        signals.connect()
        register_loop("billing", "portal.billing.loop.BillingLoop")
        tab = Tab(
            "Billing",
            "billing:account",
            "billing.view_billingaccount",
            selectors.tag_of,
            selectors.timeline_events_of,
        )
        billing = Extension(
            "billing",
            members_of=selectors.account_members,
            totals=selectors.accounts_by_status,
            json_sql=selectors.account_json_sql,
            request_sql=services.REQUEST_FIRST,
            watched_columns=services.BILLED,
            tab=tab,
            find_by_number=selectors.patients_with_account,
            number_label="Billing account",
        )
        register_extension(billing)
