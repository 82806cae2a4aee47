"""Clients of the package-less BillingService exchange the same bytes with us as before."""

import pytest
from google.protobuf.descriptor import FieldDescriptor

from protos.legacy import billing_service_pb2 as current
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
    older, newer = OlderRequest(**fields), current.BillingRequest(**fields)
    assert older.SerializeToString(deterministic=True) == newer.SerializeToString(
        deterministic=True
    )
    assert current.BillingRequest.FromString(older.SerializeToString()) == newer
    assert OlderRequest.FromString(newer.SerializeToString()) == older


@pytest.mark.parametrize("values", RESPONSES)
def test_responses_are_the_same_bytes_and_read_both_ways(values):
    fields = dict(zip(BILLING_RESPONSE, values, strict=True))
    older, newer = OlderResponse(**fields), current.BillingResponse(**fields)
    assert older.SerializeToString(deterministic=True) == newer.SerializeToString(
        deterministic=True
    )
    assert current.BillingResponse.FromString(older.SerializeToString()) == newer
    assert OlderResponse.FromString(newer.SerializeToString()) == older


@pytest.mark.parametrize(
    ("newer", "fields"),
    [(current.BillingRequest, BILLING_REQUEST), (current.BillingResponse, BILLING_RESPONSE)],
)
def test_the_fields_keep_name_number_and_type(newer, fields):
    assert {field.name: field.number for field in newer.DESCRIPTOR.fields} == fields
    assert {field.type for field in newer.DESCRIPTOR.fields} == {FieldDescriptor.TYPE_STRING}
    assert not any(field.is_repeated for field in newer.DESCRIPTOR.fields)


def test_the_service_has_no_package_and_a_single_call():
    service = current.DESCRIPTOR.services_by_name["BillingService"]
    assert service.full_name == "BillingService"
    call = service.methods_by_name["CreateBillingAccount"]
    assert (call.input_type.full_name, call.output_type.full_name) == (
        "BillingRequest",
        "BillingResponse",
    )
    assert not call.client_streaming
    assert not call.server_streaming
