"""The operators' pages of billing accounts: what waits, what failed, and asking billing again."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from portal.accounts.rules import user_of
from portal.billing.models import AccountStatus, BillingAccount, OrphanedAccount
from portal.billing.services import retry_accounts
from portal.patients.admin import ReadOnlyAdmin


class ErrorFilter(admin.SimpleListFilter):
    """Offers the error codes of accounts that wait or failed.

    To look through all accounts would take a second at a million.
    """

    title = parameter_name = "last_error_code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        unsettled = Q(status=AccountStatus.FAILED) | Q(next_attempt_at__isnull=False)
        accounts = BillingAccount.objects.filter(unsettled).exclude(last_error_code="")
        codes = accounts.order_by("last_error_code").values_list("last_error_code").distinct()
        return [(code, code) for (code,) in codes]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[BillingAccount]
    ) -> QuerySet[BillingAccount]:
        return queryset.filter(last_error_code=self.value()) if self.value() else queryset


@admin.register(BillingAccount)
class BillingAccountAdmin(ReadOnlyAdmin):
    """Operators read the accounts, and ask billing again."""

    list_display = [
        "patient",
        "status",
        "account_id",
        "attempts",
        "last_error_code",
        "next_attempt_at",
        "updated_at",
    ]
    list_filter = ["status", ErrorFilter]
    list_select_related = ["patient"]
    list_columns = (*list_display[1:], "patient__mrn")
    search_fields = ["=account_id", "=patient__mrn", "=patient__id"]
    actions = ["ask_again"]

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("billing.retry_billingaccount")

    @admin.action(description="Ask billing again", permissions=["retry"])
    def ask_again(self, request: HttpRequest, queryset: QuerySet[BillingAccount]) -> None:
        ids = list(queryset.values_list("pk", flat=True))
        count = retry_accounts(ids, by=user_of(request))
        text = (
            f"Billing is asked again for {count} of {len(ids)} patient(s). The others need nothing."
        )
        self.message_user(request, text, messages.SUCCESS)


@admin.register(OrphanedAccount)
class OrphanedAccountAdmin(ReadOnlyAdmin):
    """Operators see the accounts of deleted patients that billing has yet to close."""

    list_display = ["patient_id", "account_id", "left_at"]
