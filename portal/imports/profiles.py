"""What the columns of a file become, kept under a name for the next file with the same header."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from portal.accounts.models import User
from portal.errors import Conflict, NotFound, Unprocessable
from portal.imports.models import MappingProfile
from portal.imports.readers.columns import ALL


def profiles_for(header: Sequence[str]) -> QuerySet[MappingProfile]:
    """The profiles that were kept of files with this header, the last saved first."""
    return MappingProfile.objects.filter(header_digest=header_digest_of(header)).order_by(
        "-saved_at"
    )


def get_profile(name: str) -> MappingProfile:
    """The profile of this name, in any case; NotFound."""
    found = MappingProfile.objects.filter(name__iexact=name.strip()).first()
    if found is None:
        raise NotFound("There are no saved columns of this name.")
    return found


def mapping_for(profile: MappingProfile, header: Sequence[str]) -> list[str]:
    """The field of each column, "" for none; Unprocessable if the file lacks a column that the profile reads."""
    keys = _keys(header)
    if missing := sorted(key for key, name in profile.columns.items() if name and key not in keys):
        raise Unprocessable(
            f"This file lacks columns that “{profile.name}” reads: {', '.join(missing)}."
        )
    return [name if (name := profile.columns.get(key, "")) in ALL else "" for key in keys]


def save_profile(
    name: str, *, header: Sequence[str], mapping: Sequence[str], by: User | None
) -> MappingProfile:
    """Keep what the columns become, instead of what is kept under this name; Conflict if that is of another header."""
    columns, digest = dict(zip(_keys(header), mapping, strict=True)), header_digest_of(header)
    there = MappingProfile.objects.filter(name__iexact=name.strip()).first()
    if there and there.header_digest != digest:
        raise Conflict(
            "Columns of another kind of file are saved under this name. Choose another name."
        )
    profile = there or MappingProfile(name=name.strip())
    profile.header_digest, profile.columns, profile.by = digest, columns, by
    profile.save()
    return profile


def rename_profile(profile_id: int, name: str) -> None:
    """NotFound; Conflict if the name is taken."""
    try:
        with transaction.atomic():
            changed = MappingProfile.objects.filter(pk=profile_id).update(name=name.strip())
    except IntegrityError as error:
        raise Conflict("Other columns are saved under this name. Choose another name.") from error
    if not changed:
        raise NotFound("These columns are not saved any more.")


def delete_profile(profile_id: int) -> None:
    """Forget it; imports that used it keep their columns."""
    MappingProfile.objects.filter(pk=profile_id).delete()


def header_digest_of(header: Sequence[str]) -> str:
    """The same for headers that differ in case, separators or order alone."""
    return hashlib.sha256("\n".join(sorted(_keys(header))).encode()).hexdigest()


def _keys(header: Iterable[str]) -> list[str]:
    """A name for each column, made distinct where names repeat."""
    seen: Counter[str] = Counter()
    keys = []
    for name in header:
        key = re.sub(r"\W+", "_", name.casefold()).strip("_")
        seen[key] += 1
        keys.append(key if seen[key] == 1 else f"{key}#{seen[key]}")
    return keys
