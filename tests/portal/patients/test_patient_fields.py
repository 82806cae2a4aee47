"""The field table knows every column of a patient, and the places that list columns keep to it."""

from portal.audit.digests import CURRENT_FORMS
from portal.audit.models import Log
from portal.patients.fields import ENTERED_FIELDS, PATIENT_FIELDS, Kind, fields_on_pages
from portal.patients.models import Patient, PatientEvent


def columns_of(model) -> set[str]:
    return {column.attname for column in model._meta.concrete_fields}


def test_the_table_has_every_column_of_a_patient_and_no_other():
    assert {field.name for field in PATIENT_FIELDS} == columns_of(Patient)


def test_the_log_keeps_what_the_table_says():
    kept = {field.name for field in PATIENT_FIELDS if field.is_in_log}
    assert {name for name in columns_of(PatientEvent) if not name.startswith("pgh_")} == kept


def test_a_field_that_people_enter_has_what_pages_and_files_need():
    for field in ENTERED_FIELDS:
        assert field.label, field.name
        assert field.kind != Kind.SYSTEM, field.name
        assert field.order or field.merge_choice, field.name
    orders = [field.order for field in fields_on_pages()]
    assert len(orders) == len(set(orders))


def test_names_in_files_and_in_the_api_mean_one_field():
    in_files = [name for field in ENTERED_FIELDS for name in (field.name, *field.import_aliases)]
    in_api = [field.json_name for field in PATIENT_FIELDS if field.json_name]
    assert len(in_files) == len(set(in_files))
    assert len(in_api) == len(set(in_api))


def test_choices_of_the_model_are_choices_in_the_table():
    with_choices = {field.attname for field in Patient._meta.concrete_fields if field.choices}
    assert with_choices == {field.name for field in PATIENT_FIELDS if field.kind == Kind.CHOICE}


def test_every_form_of_the_log_brought_a_column():
    forms = {field.log_form for field in PATIENT_FIELDS if field.is_recorded}
    assert forms == set(range(1, CURRENT_FORMS[Log.WRITES] + 1))
