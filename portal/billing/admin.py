"""The operators' door to billing accounts: what waits, what failed, and asking again."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from portal.accounts.rules import user_of
from portal.billing.models import BillingAccount
from portal.billing.services import retry_account
from portal.patients.admin import ReadOnlyAdmin


@admin.register(BillingAccount)
class BillingAccountAdmin(ReadOnlyAdmin):
    """Read, and ask billing again."""

    list_display = ["patient", "status", "account_id", "attempts", "last_error_code", "next_attempt_at", "updated_at"]
    list_filter = ["status", "last_error_code"]
    list_select_related = ["patient"]
    search_fields = ["=account_id", "=patient__mrn", "=patient__id"]
    actions = ["ask_again"]

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("billing.retry_billingaccount")

    @admin.action(description="Ask billing again", permissions=["retry"])
    def ask_again(self, request: HttpRequest, queryset: QuerySet[BillingAccount]) -> None:
        ids = list(queryset.values_list("pk", flat=True))
        for pk in ids:
            retry_account(pk, by=user_of(request))
        self.message_user(request, f"Billing is asked again for {len(ids)} patient(s).", messages.SUCCESS)
