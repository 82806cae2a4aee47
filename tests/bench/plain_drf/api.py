"""The baseline's API: a ModelViewSet, which calls billing inside the request that registers."""

from functools import cache

import grpc
from django.conf import settings
from rest_framework import filters, serializers, viewsets
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from protos.billing.v1 import billing_service_pb2 as billing
from protos.billing.v1.billing_service_pb2_grpc import BillingServiceStub
from tests.bench.plain_drf.models import Patient


class PatientSerializer(serializers.ModelSerializer):
    class Meta:
        model = Patient
        fields = "__all__"
        read_only_fields = ["mrn", "billing_account_id"]


class Patients(viewsets.ModelViewSet):
    queryset = Patient.objects.all()
    serializer_class = PatientSerializer
    filter_backends = [filters.SearchFilter]
    search_fields = ["family_name", "given_name", "phone", "mrn"]

    def perform_create(self, serializer: PatientSerializer) -> None:
        patient = serializer.save()
        request = billing.CreateBillingAccountRequest(
            patient_id=str(patient.id),
            name=f"{patient.given_name} {patient.family_name}",
            email=patient.email,
            patient_version=1,
        )
        answer = billing_stub().CreateBillingAccount(request, timeout=5)
        patient.billing_account_id = answer.account.account_id
        patient.save(update_fields=["billing_account_id"])


class Validate(APIView):
    permission_classes = [IsAuthenticated]

    def get(self, request: Request) -> Response:
        return Response({"user": request.user.get_username()})


@cache
def billing_stub() -> BillingServiceStub:
    return BillingServiceStub(grpc.insecure_channel(settings.BILLING_GRPC_ADDRESS))
