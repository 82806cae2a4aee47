"""What the columns of a file become, saved under a name for the next file with the same header."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from portal.accounts.models import User
from portal.errors import Conflict, NotFound, Unprocessable
from portal.imports.models import MappingProfile
from portal.imports.readers.columns import ALL
from portal.text import clean_entry, clean_text


def profiles_for(header: Sequence[str]) -> QuerySet[MappingProfile]:
    """Returns the profiles saved for files with this header, the last saved first."""
    digest = header_digest_of(header)
    return MappingProfile.objects.filter(header_digest=digest).order_by("-saved_at")


def get_profile(name: str) -> MappingProfile:
    """Returns the profile of this name, in any case; NotFound."""
    profile = MappingProfile.objects.filter(name__iexact=clean_text(name)).first()
    if profile is None:
        raise NotFound("There are no saved columns of this name.")
    return profile


def mapping_for(profile: MappingProfile, header: Sequence[str]) -> list[str]:
    """Returns the field of each column, "" for none.

    Unprocessable if the file lacks a column that the profile reads.
    """
    keys = _column_keys(header)
    missing = sorted(key for key, name in profile.columns.items() if name and key not in keys)
    if missing:
        columns = ", ".join(missing)
        raise Unprocessable(f"This file lacks columns that “{profile.name}” reads: {columns}.")
    fields = [profile.columns.get(key, "") for key in keys]
    return [field if field in ALL else "" for field in fields]


def save_profile(
    name: str,
    *,
    header: Sequence[str],
    mapping: Sequence[str],
    values: Mapping[str, Mapping[str, str]] | None = None,
    date_order: str = "",
    by: User | None,
) -> MappingProfile:
    """Saves what columns and values become, and the order of dates, under this name.

    It replaces what is saved under the name; Conflict if that is for another header.
    """
    columns = dict(zip(_column_keys(header), mapping, strict=True))
    digest = header_digest_of(header)
    name = clean_entry(name, pointer="name")
    existing = MappingProfile.objects.filter(name__iexact=name).first()
    if existing and existing.header_digest != digest:
        raise Conflict(
            "Columns of another kind of file are saved under this name. Choose another name."
        )
    profile = existing or MappingProfile(name=name)
    profile.header_digest, profile.columns, profile.by = digest, columns, by
    profile.values, profile.date_order = dict(values or {}), date_order
    profile.save()
    return profile


def rename_profile(profile_id: int, name: str) -> None:
    """Gives the profile another name. NotFound; Conflict if the name is taken."""
    name = clean_entry(name, pointer="name")
    try:
        with transaction.atomic():
            changed = MappingProfile.objects.filter(pk=profile_id).update(name=name)
    except IntegrityError as error:
        raise Conflict("Other columns are saved under this name. Choose another name.") from error
    if not changed:
        raise NotFound("These columns are not saved any more.")


def delete_profile(profile_id: int) -> None:
    """Deletes the profile; imports that used it keep their columns."""
    MappingProfile.objects.filter(pk=profile_id).delete()


def header_digest_of(header: Sequence[str]) -> str:
    """Returns the same digest for headers that differ in case, separators or order alone."""
    return hashlib.sha256("\n".join(sorted(_column_keys(header))).encode()).hexdigest()


def _column_keys(header: Iterable[str]) -> list[str]:
    """Returns a distinct key for each column, also where names repeat."""
    counts: Counter[str] = Counter()
    keys = []
    for name in header:
        key = re.sub(r"\W+", "_", name.casefold()).strip("_")
        counts[key] += 1
        keys.append(key if counts[key] == 1 else f"{key}#{counts[key]}")
    return keys
