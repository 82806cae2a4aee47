"""The operators' door to imports: read only, since an import changes patients and not itself."""

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from portal.imports.models import ImportJob, ImportReject


class ReadOnly(ModelAdmin):
    """Seen by those who have the right to view, changed by nobody."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(ImportJob)
class ImportJobAdmin(ReadOnly):
    """Files on their way in."""

    list_display = ["id", "original_name", "status", "dry_run", "by", "rows_read", "rejected_count", "created_at"]
    list_filter = ["status", "dry_run", "created_at"]
    list_select_related = ["by"]
    search_fields = ["original_name", "=sha256"]


@admin.register(ImportReject)
class ImportRejectAdmin(ReadOnly):
    """Rows that were refused; they hold what the file held of the person."""

    list_display = ["job", "row_number", "column", "reason"]
    list_select_related = ["job"]
    search_fields = ["=job__id"]
