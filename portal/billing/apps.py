"""Billing as a Django app."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "portal.billing"
    label = "billing"

    def ready(self) -> None:
        from portal.billing import selectors, signals
        from portal.billing.loop import BillingLoop
        from portal.patients.extensions import Tab, register_extension
        from portal.relay_loops import register_loop

        signals.connect()
        register_loop("billing", BillingLoop)
        register_extension(
            "billing",
            for_patients=selectors.for_patients,
            totals=selectors.accounts_by_status,
            tab=Tab(
                "Billing",
                "billing:account",
                "billing.view_billingaccount",
                selectors.tag_of,
                selectors.happenings_of,
            ),
        )
