"""P7: names, birth dates, addresses and search texts stay out of logs, whatever fails."""

import io
import logging

import pytest
from django.db import DatabaseError, transaction

from portal.errors import Conflict
from portal.patients import services
from portal.patients.models import Patient
from portal.patients.validation import validate_details

pytestmark = pytest.mark.django_db
SECRETS = ["Unmistakable", "Zyx", "1984-03-15", "jane@mail.example", "7946 0958", "Hidden Street"]
JANE = {
    "familyName": "Unmistakable",
    "givenName": "Zyx",
    "dateOfBirth": "1984-03-15",
    "email": "jane@mail.example",
    "phone": "020 7946 0958",
    "address": "1 Hidden Street",
}


@pytest.fixture
def log_lines():
    """The text of all that the process logs, from INFO on."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(next(h.formatter for h in logging.getLogger().handlers if h.formatter))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def test_requests_that_work_and_fail_leave_no_name(desk_api, client, log_lines):
    place = desk_api.post("/api/patients", JANE, format="json")["Location"]
    desk_api.post("/api/patients", JANE, format="json")
    desk_api.post("/api/patients", {**JANE, "dateOfBirth": "31 Feb", "sex": "Zyx"}, format="json")
    desk_api.get("/api/patients", {"q": "Unmistakable"})
    desk_api.get(place)
    client.get("/api/patients?q=Unmistakable")
    client.get("/nothing/Unmistakable")
    client.get("/patients/?q=Unmistakable")
    assert log_lines.getvalue()
    assert [secret for secret in SECRETS if secret in log_lines.getvalue()] == []


def test_a_database_error_that_quotes_the_row_is_logged_without_text(log_lines):
    services.register_patient(
        validate_details({"family_name": "Unmistakable"}), by=None, source="api"
    )
    try:
        with transaction.atomic():
            Patient.objects.update(status="Unmistakable")
    except DatabaseError:
        logging.getLogger("portal.test").exception("planted")
    assert '"planted"' in log_lines.getvalue()
    assert "Unmistakable" not in log_lines.getvalue()


def test_the_text_of_our_errors_names_nobody(log_lines):
    details = validate_details({"family_name": "Unmistakable", "date_of_birth": "1984-03-15"})
    services.register_patient(details, by=None, source="api")
    with pytest.raises(Conflict) as caught:
        services.register_patient(details, by=None, source="api")
    assert "Unmistakable" not in str(caught.value)
