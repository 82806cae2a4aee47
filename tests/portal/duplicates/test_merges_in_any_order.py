"""Whatever merges are made and undone in whatever order: once all are undone, all is as before."""

import random
from contextlib import suppress

import pytest

from portal.duplicates.merge import merge_patient, unmerge_patient
from portal.errors import Conflict
from portal.patients import services
from portal.patients.models import Patient, PatientIdentifier
from portal.patients.validation import validate_details

# All changes of one transaction are one version, so that each change needs its own.
pytestmark = pytest.mark.django_db(transaction=True)
HOW = {"by": None, "source": "portal"}
PHONES = ["", "", "+44 20 7946 0018", "+44 20 7946 0019"]
CITIES = ["", "Leeds", "York"]
RECORDS, STEPS, STORIES = 4, 10, 4


def register_records(dice: random.Random, story: int) -> list[Patient]:
    return [
        services.register_patient(
            validate_details(
                {
                    "family_name": f"Example{story}x{number}",
                    "given_name": dice.choice(["Jane", "Jayne"]),
                    "phone": dice.choice(PHONES),
                    "city": dice.choice(CITIES),
                    "identifiers": [{"system": "insurance", "value": f"S{story}N{number}"}],
                }
            ),
            **HOW,
        )
        for number in range(RECORDS)
    ]


def state_of(records: list[Patient]) -> list[tuple]:
    names = ("family_name", "given_name", "phone", "phone_e164", "city", "status", "merged_into_id")
    states = []
    for patient in Patient.objects.filter(pk__in=[record.pk for record in records]).order_by("pk"):
        held = PatientIdentifier.objects.filter(patient=patient).values_list("value", flat=True)
        states.append((*(getattr(patient, name) for name in names), sorted(held)))
    return states


def merge_any(dice: random.Random, records: list[Patient]) -> None:
    duplicate, survivor = dice.sample(records, 2)
    take = dice.sample(["phone", "address", "given_name", "family_name"], dice.randint(0, 4))
    merge_patient(duplicate.pk, into=survivor.pk, take=take, reason="Papers seen", **HOW)


def unmerge_any(dice: random.Random, records: list[Patient]) -> None:
    merged = Patient.objects.filter(pk__in=[record.pk for record in records], status="merged")
    if ids := list(merged.order_by("pk").values_list("pk", flat=True)):
        unmerge_patient(dice.choice(ids), **HOW)


@pytest.mark.parametrize("story", range(STORIES))
def test_all_is_as_before_once_all_merges_are_undone(story):
    """Red when an undone merge leaves a value, or gives back one of another merge."""
    dice = random.Random(story)
    records = register_records(dice, story)
    before = state_of(records)
    for _ in range(STEPS):
        with suppress(Conflict):  # Merged already, or its survivor is.
            dice.choice([merge_any, merge_any, unmerge_any])(dice, records)
    while Patient.objects.filter(status="merged").exists():
        with suppress(Conflict):
            unmerge_any(dice, records)
    assert state_of(records) == before
