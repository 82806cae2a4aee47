"""The members of the REST contract, for the OpenAPI document and the browsable API's forms."""

from typing import Any

from rest_framework import serializers

from portal.patients.matching.rules import MatchGrade
from portal.patients.models import Precision, Sex, Status
from portal.patients.selectors import LARGEST_PAGE


class Identifier(serializers.Serializer[Any]):
    system = serializers.CharField(help_text="ssn, driver, passport, insurance, or a URI")
    value = serializers.CharField(help_text="Kept as letters and digits in capitals")
    validFrom = serializers.DateField(  # noqa: N815 - the contract's name
        required=False, allow_null=True, help_text="Left out, it stays as it is stored"
    )
    validTo = serializers.DateField(required=False, allow_null=True)  # noqa: N815


class Billing(serializers.Serializer[Any]):
    status = serializers.ChoiceField(["pending", "active", "failed", "closed"])
    accountId = serializers.CharField(allow_null=True)  # noqa: N815 - the contract's name


class PatientBody(serializers.Serializer[Any]):
    """What a client may send. Names are the contract's."""

    name = serializers.CharField(
        required=False, help_text="Instead of the parts: `Jane Smith` or `Smith, Jane`"
    )
    familyName = serializers.CharField(required=False, allow_blank=True)  # noqa: N815
    givenName = serializers.CharField(required=False, allow_blank=True)  # noqa: N815
    middleName = serializers.CharField(required=False, allow_blank=True)  # noqa: N815
    prefix = serializers.CharField(required=False, allow_blank=True)
    suffix = serializers.CharField(required=False, allow_blank=True)
    preferredName = serializers.CharField(required=False, allow_blank=True)  # noqa: N815
    email = serializers.EmailField(required=False, allow_blank=True)
    phone = serializers.CharField(required=False, allow_blank=True)
    dateOfBirth = serializers.DateField(required=False, allow_null=True)  # noqa: N815
    dateOfBirthPrecision = serializers.ChoiceField(Precision.choices, required=False)  # noqa: N815
    sex = serializers.ChoiceField(Sex.choices, required=False)
    address = serializers.CharField(
        required=False, allow_blank=True, help_text="Instead of the parts: one line"
    )
    addressLine1 = serializers.CharField(required=False, allow_blank=True)  # noqa: N815
    addressLine2 = serializers.CharField(required=False, allow_blank=True)  # noqa: N815
    city = serializers.CharField(required=False, allow_blank=True)
    region = serializers.CharField(required=False, allow_blank=True)
    postalCode = serializers.CharField(required=False, allow_blank=True)  # noqa: N815
    country = serializers.CharField(
        required=False, allow_blank=True, help_text="ISO 3166-1 alpha-2"
    )
    maritalStatus = serializers.CharField(required=False, allow_blank=True)  # noqa: N815
    race = serializers.CharField(required=False, allow_blank=True)
    ethnicity = serializers.CharField(required=False, allow_blank=True)
    language = serializers.CharField(required=False, allow_blank=True)
    registeredDate = serializers.DateField(required=False, allow_null=True)  # noqa: N815
    deceasedDate = serializers.DateField(required=False, allow_null=True)  # noqa: N815
    identifiers = Identifier(many=True, required=False)


class NewPatientBody(PatientBody):
    duplicateReason = serializers.CharField(  # noqa: N815
        required=False,
        help_text="Why this is another person than the patient of the same name and date of birth",
    )


class MatchJson(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    grade = serializers.ChoiceField(
        [grade.value for grade in MatchGrade], help_text="FHIR's match-grade"
    )
    reasons = serializers.ListField(
        child=serializers.CharField(), help_text="What agrees, without a value"
    )


class DuplicateProblem(serializers.Serializer[Any]):
    """The members that the 409 of a person who is here already has beside those of every problem."""

    patientIds = serializers.ListField(child=serializers.UUIDField())  # noqa: N815
    candidates = MatchJson(many=True)
    duplicate = serializers.BooleanField()


class PatientJson(PatientBody):
    id = serializers.UUIDField()
    mrn = serializers.CharField()
    status = serializers.ChoiceField(Status.choices)
    mergedInto = serializers.UUIDField(  # noqa: N815
        allow_null=True,
        help_text="The record that stands for the person, while the status is merged",
    )
    version = serializers.IntegerField()
    billing = Billing(allow_null=True)


class FoundPatientJson(PatientJson):
    matchedOn = serializers.CharField(  # noqa: N815
        required=False,
        help_text="With `q`: what of the patient it finds, such as `Name` or `Phone ends in 0018`",
    )


class FieldChange(serializers.Serializer[Any]):
    field = serializers.CharField()
    old = serializers.CharField(allow_blank=True)
    new = serializers.CharField(allow_blank=True)


class ChangeJson(serializers.Serializer[Any]):
    eventId = serializers.IntegerField()  # noqa: N815
    version = serializers.IntegerField()
    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(["insert", "update", "delete"])
    by = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    changes = FieldChange(many=True)


class ListQuery(serializers.Serializer[Any]):
    """The members of a list's query."""

    q = serializers.CharField(
        required=False, allow_blank=True, help_text="Name, MRN, phone, date or identifier"
    )
    dateOfBirth = serializers.DateField(required=False)  # noqa: N815
    sex = serializers.ChoiceField(Sex.choices, required=False)
    status = serializers.ChoiceField(
        Status.choices, required=False, help_text="Without it, active patients"
    )
    registeredFrom = serializers.DateField(required=False)  # noqa: N815
    registeredTo = serializers.DateField(required=False)  # noqa: N815
    identifier = serializers.CharField(required=False, help_text="`value`, or `system|value`")
    cursor = serializers.CharField(required=False, help_text="From the Link header")
    limit = serializers.IntegerField(
        required=False, min_value=1, max_value=LARGEST_PAGE, default=50
    )
