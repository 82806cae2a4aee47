"""Saved columns: list, rename and delete them."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from portal.accounts.rules import allow
from portal.errors import PortalError
from portal.imports.forms.columns import ProfileNameForm
from portal.imports.models import MappingProfile
from portal.imports.profiles import delete_profile, rename_profile
from portal.imports.readers.targets import LABELS


@allow("imports.add_importjob")
@require_safe
def profiles(request: HttpRequest) -> HttpResponse:
    """Lists the profiles, each with the fields that it reads."""
    rows = []
    for profile in MappingProfile.objects.select_related("by"):
        form = ProfileNameForm(initial={"name": profile.name}, auto_id=f"id_%s_{profile.pk}")
        rows.append((profile, form, _field_labels(profile)))
    return render(request, "imports/profiles.html", {"profiles": rows})


@allow("imports.add_importjob")
@require_POST
def rename(request: HttpRequest, profile_id: int) -> HttpResponse:
    """Gives the profile another name."""
    form = ProfileNameForm(request.POST)
    try:
        if form.is_valid():
            rename_profile(profile_id, form.cleaned_data["name"])
            messages.success(request, "Renamed.")
        else:
            messages.error(request, "Enter a name of at most 80 characters.")
    except PortalError as error:
        messages.error(request, error.detail)
    return redirect("imports:profiles")


@allow("imports.add_importjob")
@require_POST
def delete(request: HttpRequest, profile_id: int) -> HttpResponse:
    """Deletes the profile."""
    delete_profile(profile_id)
    messages.success(request, "Deleted. Imports that used these columns keep them.")
    return redirect("imports:profiles")


def _field_labels(profile: MappingProfile) -> list[str]:
    fields = set(profile.columns.values())
    return [label for name, label in LABELS.items() if name in fields]
