"""The operators' pages of the reports: they read them, and request a check."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from portal.accounts.rules import user_of
from portal.patients.admin import ReadOnlyAdmin
from portal.reconciliation.models import ReconcileReport
from portal.reconciliation.services import request_check


@admin.register(ReconcileReport)
class ReconcileReportAdmin(ReadOnlyAdmin):
    """Operators see every check that was made."""

    list_display = ["created_at", "status", "is_repair", "difference_count", "by", "finished_at"]
    list_filter = ["status", "is_repair", "created_at"]
    list_select_related = ["by"]
    list_columns = (
        *("created_at", "status", "is_repair", "difference_count", "finished_at"),
        *("by__full_name", "by__email"),
    )
    actions = ["check_again"]

    def has_check_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("reconciliation.add_reconcilereport")

    @admin.action(description="Check again now", permissions=["check"])
    def check_again(self, request: HttpRequest, queryset: QuerySet[ReconcileReport]) -> None:
        """Requests a check of all stores, whichever reports are chosen. It repairs nothing."""
        report = request_check(by=user_of(request))
        self.log_change(request, report, "Asked for.")
        self.message_user(
            request,
            "A check of all stores is asked for; its report is the first here.",
            messages.SUCCESS,
        )
