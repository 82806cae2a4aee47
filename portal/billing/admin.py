"""The operators' door to billing accounts: what waits, what failed, and asking again."""

from typing import cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from portal.accounts.models import User
from portal.billing.models import BillingAccount
from portal.billing.services import retry_account


@admin.register(BillingAccount)
class BillingAccountAdmin(ModelAdmin):
    """Read, and ask billing again."""

    list_display = ["patient", "status", "account_id", "attempts", "last_error_code", "next_attempt_at", "updated_at"]
    list_filter = ["status", "last_error_code"]
    list_select_related = ["patient"]
    search_fields = ["=account_id", "=patient__mrn", "=patient__id"]
    show_full_result_count = False
    actions = ["ask_again"]

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("billing.retry_billingaccount")

    @admin.action(description="Ask billing again", permissions=["retry"])
    def ask_again(self, request: HttpRequest, queryset: QuerySet[BillingAccount]) -> None:
        for account in queryset.only("pk"):
            retry_account(account.pk, by=cast(User, request.user))
        self.message_user(request, f"Billing is asked again for {queryset.count()} patient(s).", messages.SUCCESS)
