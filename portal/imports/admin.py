"""Imports in the admin, where operators read them, run them again and undo them."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from portal.accounts.rules import user_of
from portal.admin_lists import PortalAdmin
from portal.errors import PortalError
from portal.imports.models import ImportJob, ImportReject, Outcome
from portal.imports.retry import run_again
from portal.imports.services import start_undo


class ReadOnlyAdmin(PortalAdmin):
    """Shows rows to users with the right to view them; nothing can be added or changed."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(ImportJob)
class ImportJobAdmin(ReadOnlyAdmin):
    """The jobs, with the actions of operators."""

    list_display = [
        "id",
        "original_name",
        "status",
        "dry_run",
        "by",
        "rows_read",
        "rejected_count",
        "created_at",
    ]
    list_filter = ["status", "dry_run", "created_at"]
    list_select_related = ["by"]
    list_columns = (
        *("id", "original_name", "status", "dry_run", "created_at"),
        *(f"{outcome}_count" for outcome in Outcome.values),
        *("by__full_name", "by__email"),
    )
    search_fields = ["original_name", "=sha256"]
    actions = ["run_again", "undo"]

    def has_undo_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("imports.add_importjob")

    @admin.action(
        description="Run again: a failed one goes on from its last batch", permissions=["undo"]
    )
    def run_again(self, request: HttpRequest, queryset: QuerySet[ImportJob]) -> None:
        for job in queryset.order_by("created_at"):
            try:
                run_again(job.pk, by=user_of(request))
            except PortalError as error:
                self.message_user(request, f"{job.original_name}: {error.detail}", messages.ERROR)
            else:
                self.log_change(request, job, "Run again.")
                self.message_user(
                    request,
                    f"{job.original_name} waits for the worker, which goes on after row "
                    f"{job.last_row:,}.",
                    messages.SUCCESS,
                )

    @admin.action(
        description="Undo: archive the new patients, put the changed ones back",
        permissions=["undo"],
    )
    def undo(self, request: HttpRequest, queryset: QuerySet[ImportJob]) -> None:
        for job in queryset.order_by("-created_at"):
            try:
                start_undo(job.pk, by=user_of(request))
            except PortalError as error:
                self.message_user(request, f"{job.original_name}: {error.detail}", messages.ERROR)
            else:
                self.log_change(request, job, "Undo begun.")
                self.message_user(
                    request, f"{job.original_name} is being undone.", messages.SUCCESS
                )


@admin.register(ImportReject)
class ImportRejectAdmin(ReadOnlyAdmin):
    """Rows that were refused; they hold all that the file held of the person."""

    list_display = ["job", "row_number", "column", "reason"]
    list_select_related = ["job"]
    list_columns = ("job__id", "row_number", "column", "reason")
    search_fields = ["=job__id"]
