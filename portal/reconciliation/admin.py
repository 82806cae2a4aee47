"""The operators' door to the reports: read only."""

from django.contrib import admin

from portal.patients.admin import ReadOnlyAdmin
from portal.reconciliation.models import ReconcileReport


@admin.register(ReconcileReport)
class ReconcileReportAdmin(ReadOnlyAdmin):
    """Every check that was made."""

    list_display = ["created_at", "status", "is_repair", "difference_count", "by", "finished_at"]
    list_filter = ["status", "is_repair", "created_at"]
    list_select_related = ["by"]
