"""An import asks about a name that is parted or spelt in another way, and so does its trial."""

import pytest

from portal.patients.models import Patient
from tests.portal.imports.files import as_csv, counts
from tests.portal.patients.test_spellings_are_asked_about import BORN, by_spelling, register

pytestmark = pytest.mark.django_db


@by_spelling
def test_the_other_spelling_is_held_back(import_text, first, second):
    known = register(first)
    row = {"family_name": second[0], "given_name": second[1], "date_of_birth": BORN}
    options = ("--likely", "refuse")
    _, trial = import_text(as_csv(row), "--dry-run", *options)
    _, report = import_text(as_csv(row), *options)
    assert counts(trial) == counts(report) == {"rejected": 1}
    assert list(Patient.objects.values_list("pk", flat=True)) == [known.pk]
