"""A context that SQL wrote into the log, of any form, stops no scan, no relay and no page."""

import json

import pytest
from django.db import connection

from portal.duplicates.merge import merge_patient, unmerge_patient
from portal.duplicates.scans import find_pairs
from portal.events.services import encode_events
from portal.imports.matching.set_aside import find_set_aside
from portal.patients import services
from portal.patients.models import EventOutbox, Patient
from tests.portal.duplicates.test_find_pairs import open_pairs, register

# All changes of one transaction are one version, so that each change needs its own.
pytestmark = pytest.mark.django_db(transaction=True)
HOW = {"by": None, "source": "portal"}
OTHER = "00000000-0000-0000-0000-00000000abcd"  # Stands for the id of another patient.
ODD = [
    ["similar"],
    "similar",
    5,
    {"similar": 5, "duplicate_reason": "Twin"},
    {"similar": ["x"], "duplicate_reason": "Twin"},
    {"similar": [OTHER], "duplicate_reason": {"a": 1}},
    {"similar": [OTHER], "duplicate_reason": "Twin", "user": "abc"},
    {"similar": [OTHER], "duplicate_reason": "Twin", "user": 999_999},
    {"user": 10**23, "source": 5, "request_id": [], "route": {}},
    {"merge": "x", "import_job": 5, "import_undo": {}},
    {"merge": {"duplicate": 5}},
    {"merge": {"survivor": "x", "survivor_version": "y"}},
]


def register_through_sql(context: object) -> tuple[Patient, Patient]:
    """Returns a pair of one person; the second was registered with this context."""
    first = register()
    text = json.dumps(context).replace(OTHER, str(first.pk))
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('pghistory.context_metadata', %s, false)", [text])
        cursor.execute(
            "INSERT INTO patients_patient (family_name, given_name, date_of_birth)"
            " SELECT family_name, given_name, date_of_birth FROM patients_patient RETURNING id"
        )
        second = Patient.objects.get(pk=cursor.fetchone()[0])
        cursor.execute("SELECT set_config('pghistory.context_metadata', '', false)")
    return first, second


@pytest.mark.parametrize("context", ODD, ids=str)
def test_nothing_stops_at_it(client, desk_api, front_desk, context):
    first, second = register_through_sql(context)
    names = {"family_name": "Zeta", "given_name": "Ilse", "date_of_birth": "1950-02-02"}
    others = register(**names), register(**names)
    find_pairs(lambda _: None)
    assert frozenset(patient.pk for patient in others) in set(open_pairs())
    messages, broken = encode_events(list(EventOutbox.objects.values_list("pk", flat=True)))
    assert (len(messages), broken) == (4, [])
    client.force_login(front_desk)
    for address in (f"/patients/{second.pk}/history/", "/patients/duplicates/"):
        assert client.get(address).status_code == 200
    assert desk_api.get(f"/api/patients/{second.pk}/history").status_code == 200
    services.change_patient(second.pk, {"city": "Bath"}, **HOW)
    assert find_set_aside([second.pk])
    merge_patient(first.pk, into=second.pk, reason="Papers seen", **HOW)
    assert unmerge_patient(first.pk, **HOW).unmerged.status == "active"
