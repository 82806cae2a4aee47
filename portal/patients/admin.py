"""Patients in the admin, which saves through the services as every channel does."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import DateField, F, Field, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.formats import localize
from django.utils.html import format_html
from django.utils.timezone import localtime
from unfold.admin import TabularInline

from portal.accounts.rules import user_of
from portal.admin_lists import PortalAdmin, filter_by_known
from portal.errors import InvalidInput, PortalError
from portal.patients import services
from portal.patients.audit import ACCESS_ACTIONS, record_access
from portal.patients.fields import ENTERED
from portal.patients.models import (
    AccessRecord,
    EventOutbox,
    Patient,
    PatientEvent,
    PatientIdentifier,
    Source,
)
from portal.patients.models.log import DELETED, INSERTED, UPDATED
from portal.patients.search.engine import filter_by_search
from portal.patients.templatetags.patients import birth_date
from portal.patients.validation import validate_details
from portal.stored_dates import date_in_words


class PatientForm(forms.ModelForm):
    """Checks by the rules that the API and the staff's form use, too."""

    duplicate_reason = forms.CharField(
        required=False,
        help_text=(
            "If a patient of the same name and date of birth is there: why this is another person."
        ),
    )

    class Meta:
        model = Patient
        fields = ENTERED

    def clean(self) -> dict[str, Any]:
        given = {**self.cleaned_data}
        given.pop("duplicate_reason", None)
        try:
            self.details = validate_details(given)
        except InvalidInput as error:
            for problem in error.errors:
                field = problem.pointer if problem.pointer in self.fields else None
                self.add_error(field, problem.detail)
        return self.cleaned_data


class IdentifierInline(TabularInline):
    model = PatientIdentifier
    extra = 0
    can_delete = False
    fields = readonly_fields = ("system", "value", "valid_from", "valid_to")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Patient)
class PatientAdmin(PortalAdmin):
    """Finds, registers, corrects and archives patients; records access as every channel does."""

    form = PatientForm
    inlines = (IdentifierInline,)
    list_display = ("mrn", "list_name", "birth", "sex", "status", "registered")
    list_filter = ("status", "sex", "source")
    list_columns = (
        *("mrn", "sex", "status", "date_of_birth", "date_of_birth_precision", "registered_on"),
        *("family_name", "given_name", "middle_name", "prefix"),
    )
    search_fields = ("mrn",)
    search_help_text = "Name, MRN, identifier, phone or date of birth"
    readonly_fields = ("mrn", "status", "source", "version", "created_at", "updated_at")
    actions = ("archive", "restore")

    @admin.display(description="Date of birth", ordering="date_of_birth")
    def birth(self, patient: Patient) -> str:
        return birth_date(patient)

    @admin.display(description="Registered on", ordering="registered_on")
    def registered(self, patient: Patient) -> str:
        return f"{patient.registered_on:%d-%b-%Y}"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Patient], search_term: str
    ) -> tuple[QuerySet[Patient], bool]:
        return filter_by_search(queryset, search_term), False

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Patient | None:
        patient = super().get_object(request, object_id, from_field)
        if patient is not None:
            record_access(user_of(request), [patient.pk], action="open", channel=Source.ADMIN)
        return patient

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        shown = getattr(response, "context_data", {}).get("cl")
        if shown:
            record_access(
                user_of(request),
                [row.pk for row in shown.result_list],
                action="list",
                channel=Source.ADMIN,
            )
        return response

    def save_model(
        self, request: HttpRequest, obj: Patient, form: PatientForm, change: bool
    ) -> None:
        by = user_of(request)
        if change:
            saved = services.change_patient(obj.pk, form.details, by=by, source=Source.ADMIN)
        else:
            reason = form.cleaned_data["duplicate_reason"]
            saved = services.register_patient(
                form.details, by=by, source=Source.ADMIN, override_reason=reason
            )
        obj.__dict__.update(saved.__dict__)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_archive_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("patients.archive_patient")

    @admin.action(description="Archive", permissions=["archive"])
    def archive(self, request: HttpRequest, queryset: QuerySet[Patient]) -> None:
        self._change_each(request, queryset, services.archive_patient, "archived")

    @admin.action(description="Restore", permissions=["archive"])
    def restore(self, request: HttpRequest, queryset: QuerySet[Patient]) -> None:
        self._change_each(request, queryset, services.restore_patient, "restored")

    def _change_each(
        self,
        request: HttpRequest,
        queryset: QuerySet[Patient],
        change: Callable[..., Patient],
        word: str,
    ) -> None:
        """Changes the patients one by one; a refused change does not stop the others."""
        pks, refused = list(queryset.values_list("pk", flat=True)), 0
        for pk in pks:
            try:
                change(pk, by=user_of(request), source=Source.ADMIN)
            except PortalError as error:
                refused += 1
                self.message_user(request, error.detail, messages.ERROR)
        self.message_user(
            request, f"{len(pks) - refused} of {len(pks)} patient(s) {word}.", messages.SUCCESS
        )


class ReadOnlyAdmin(PortalAdmin):
    """Shows rows that the system writes and nobody changes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _date_in_words(column: "DateField[Any, Any]") -> Callable[[Any], str]:
    """Returns a column of the admin that says of an impossible date that it is none.

    Django's own would show the last day that Python has, 31 December 9999.
    """

    @admin.display(description=column.verbose_name)
    def show(row: Any) -> str:
        return date_in_words(getattr(row, column.attname)) or "-"

    show.__name__ = column.name
    return show


# Columns of the log whose own names are those of the library that keeps it.
_LOG_LABELS = {
    "pgh_id": "Event",
    "pgh_created_at": "At",
    "pgh_label": "Kind",
    "pgh_obj": "Patient",
    "pgh_context": "Context",
    "pgh_context_id": "Context id",
}


def _labelled(name: str) -> Callable[[Any], Any]:
    """Returns what shows a column of the log under a label that operators know."""

    @admin.display(description=_LOG_LABELS[name], ordering=name)
    def show(event: PatientEvent) -> Any:
        value = getattr(event, name)
        if isinstance(value, datetime):
            moment = localize(localtime(value))
            return format_html('<span class="whitespace-nowrap">{}</span>', moment)
        if isinstance(value, Patient):
            address = reverse("admin:patients_patient_change", args=[value.pk])
            return format_html('<a href="{}" class="underline">{}</a>', address, value)
        return json.dumps(value) if isinstance(value, dict) else value

    show.__name__ = name
    return show


def _log_field(column: Field) -> str | Callable[[Any], Any]:
    if column.name in _LOG_LABELS:
        return _labelled(column.name)
    return _date_in_words(column) if isinstance(column, DateField) else column.name


@admin.register(PatientEvent)
class PatientEventAdmin(ReadOnlyAdmin):
    list_display = (
        *(_labelled(name) for name in ("pgh_id", "pgh_created_at", "pgh_label")),
        "mrn",
        "version",
        _labelled("pgh_context"),
    )
    list_filter = (("pgh_label", filter_by_known((INSERTED, UPDATED, DELETED))), "source")
    list_columns = ("pgh_id", "pgh_created_at", "pgh_label", "mrn", "version", "pgh_context")
    search_fields = ("mrn",)
    ordering = ("-pgh_id",)
    fields = readonly_fields = [_log_field(column) for column in PatientEvent._meta.fields]

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> PatientEvent | None:
        """Returns the row and records access: it shows the patient at that time."""
        event = super().get_object(request, object_id, from_field)
        if event is not None:
            record_access(
                user_of(request), [event.pgh_obj_id], action="history", channel=Source.ADMIN
            )
        return event


@admin.register(EventOutbox)
class EventOutboxAdmin(ReadOnlyAdmin):
    list_display = ("event_id",)


@admin.register(AccessRecord)
class AccessRecordAdmin(ReadOnlyAdmin):
    list_display = ("at", "user", "action", "channel", "patients", "request_id")
    list_filter = (
        ("action", filter_by_known(ACCESS_ACTIONS)),
        ("door", filter_by_known(Source.values)),
        "user",
    )
    list_select_related = ("user",)
    list_columns = ("at", "action", "door", "request_id", "user__full_name", "user__email")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccessRecord]:
        """Counts a row's patients in the database: the ids of a page of lists are thousands."""
        return super().get_queryset(request).annotate(patient_count=F("patient_ids__len"))

    @admin.display(description="Channel", ordering="door")
    def channel(self, record: AccessRecord) -> str:
        return record.door

    @admin.display(description="Patients")
    def patients(self, record: Any) -> int:
        return record.patient_count
