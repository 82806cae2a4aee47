"""Clients of the package-less BillingService exchange the same bytes with us as before."""

import pytest
from google.protobuf.descriptor import FieldDescriptor

from protos.legacy import billing_service_pb2 as ours
from tests.protos.older import BILLING_REQUEST, BILLING_RESPONSE, older_message

OlderRequest = older_message("BillingRequest", BILLING_REQUEST)
OlderResponse = older_message("BillingResponse", BILLING_RESPONSE)

REQUESTS = [
    ("p-1", "Jane Smith", "jane@example.org"),
    ("p-2", "Zoë Müller 田中 😀", "zoë@bücher.example"),
    ("", "", ""),
]
RESPONSES = [("BA-000000123", "ACTIVE"), ("BA-000000124", "CLOSED"), ("", "")]


@pytest.mark.parametrize("values", REQUESTS)
def test_requests_are_the_same_bytes_and_read_both_ways(values):
    fields = dict(zip(BILLING_REQUEST, values, strict=True))
    older, mine = OlderRequest(**fields), ours.BillingRequest(**fields)
    assert older.SerializeToString(deterministic=True) == mine.SerializeToString(deterministic=True)
    assert ours.BillingRequest.FromString(older.SerializeToString()) == mine
    assert OlderRequest.FromString(mine.SerializeToString()) == older


@pytest.mark.parametrize("values", RESPONSES)
def test_responses_are_the_same_bytes_and_read_both_ways(values):
    fields = dict(zip(BILLING_RESPONSE, values, strict=True))
    older, mine = OlderResponse(**fields), ours.BillingResponse(**fields)
    assert older.SerializeToString(deterministic=True) == mine.SerializeToString(deterministic=True)
    assert ours.BillingResponse.FromString(older.SerializeToString()) == mine
    assert OlderResponse.FromString(mine.SerializeToString()) == older


@pytest.mark.parametrize(
    ("mine", "fields"),
    [(ours.BillingRequest, BILLING_REQUEST), (ours.BillingResponse, BILLING_RESPONSE)],
)
def test_the_fields_keep_name_number_and_type(mine, fields):
    assert {field.name: field.number for field in mine.DESCRIPTOR.fields} == fields
    assert {field.type for field in mine.DESCRIPTOR.fields} == {FieldDescriptor.TYPE_STRING}
    assert not any(field.is_repeated for field in mine.DESCRIPTOR.fields)


def test_the_service_has_no_package_and_a_single_call():
    service = ours.DESCRIPTOR.services_by_name["BillingService"]
    assert service.full_name == "BillingService"
    call = service.methods_by_name["CreateBillingAccount"]
    assert (call.input_type.full_name, call.output_type.full_name) == (
        "BillingRequest",
        "BillingResponse",
    )
    assert not call.client_streaming
    assert not call.server_streaming
