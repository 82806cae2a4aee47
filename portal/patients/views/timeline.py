"""What happened to a patient, day by day."""

from itertools import groupby
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from portal.accounts.rules import allow, user_of
from portal.patients.models import Source
from portal.patients.record.frame import frame
from portal.patients.record.timeline import story_of
from portal.patients.selectors import open_patient
from portal.patients.views.cursors import number_in


@allow("patients.view_history")
@require_safe
def timeline(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Newest first; older parts are a link away."""
    patient = open_patient(user_of(request), patient_id, door=Source.PORTAL, action="timeline")
    before = number_in(request, "before")
    story = story_of(user_of(request), patient, before=before)
    days = groupby(story.happenings, key=lambda one: timezone.localdate(one.at))
    context = {
        **frame(request, patient, tab="patients:timeline"),
        "days": [(day, list(happenings)) for day, happenings in days],
        "older": story.before,
        "is_older": before is not None,
    }
    return render(request, "patients/timeline.html", context)
