"""P7: names, birth dates, addresses and search texts stay out of logs, whoever writes the line and whatever fails."""

import io
import logging

import pytest
from django.db import DatabaseError, transaction

from portal.patients import services
from portal.patients.models import Patient
from portal.patients.validation import validate_details

pytestmark = pytest.mark.django_db
SECRETS = ["Unmistakable", "Zyx", "1984-03-15", "jane@mail.example", "7946 0958", "Hidden Street"]
JANE = {
    "familyName": "Unmistakable", "givenName": "Zyx", "dateOfBirth": "1984-03-15", "email": "jane@mail.example",
    "phone": "020 7946 0958", "address": "1 Hidden Street",
}  # fmt: skip


@pytest.fixture
def written():
    """All that the process would write, as text, from the lowest level on."""
    stream = io.StringIO()
    ours = logging.StreamHandler(stream)
    ours.setFormatter(next(h.formatter for h in logging.getLogger().handlers if h.formatter))
    root = logging.getLogger()
    level = root.level
    root.addHandler(ours)
    root.setLevel(logging.INFO)
    yield stream
    root.removeHandler(ours)
    root.setLevel(level)


def test_requests_that_work_and_fail_leave_no_name(desk_api, client, written):
    place = desk_api.post("/api/patients", JANE, format="json")["Location"]
    desk_api.post("/api/patients", JANE, format="json")
    desk_api.post("/api/patients", {**JANE, "dateOfBirth": "31 Feb", "sex": "Zyx"}, format="json")
    desk_api.get("/api/patients", {"q": "Unmistakable"})
    desk_api.get(place)
    client.get("/api/patients?q=Unmistakable")
    client.get("/nothing/Unmistakable")
    client.get("/patients/?q=Unmistakable")
    assert written.getvalue()
    assert [secret for secret in SECRETS if secret in written.getvalue()] == []


def test_a_database_error_that_quotes_the_row_is_written_without_its_text(written):
    services.register_patient(
        validate_details({"family_name": "Unmistakable"}), by=None, source="api"
    )
    try:
        with transaction.atomic():
            Patient.objects.update(status="Unmistakable")
    except DatabaseError:
        logging.getLogger("portal.test").exception("planted")
    assert '"planted"' in written.getvalue()
    assert "Unmistakable" not in written.getvalue()


def test_the_text_of_our_errors_names_nobody(written):
    services.register_patient(
        validate_details({"family_name": "Unmistakable", "date_of_birth": "1984-03-15"}),
        by=None,
        source="api",
    )
    with pytest.raises(Exception) as caught:  # noqa: PT011 - its text is the point
        services.register_patient(
            validate_details({"family_name": "Unmistakable", "date_of_birth": "1984-03-15"}),
            by=None,
            source="api",
        )
    assert "Unmistakable" not in str(caught.value)
