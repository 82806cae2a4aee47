"""/api/analytics: the stream processor's figures in the API."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.accounts.rules import needs
from portal.analytics.selectors import compute_etag, read_figures

IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, "header", description="The ETag you read; 304 while nothing moves"
)
ETAG = OpenApiParameter("ETag", str, "header", response=[200, 304], required=True)


class Figures(serializers.Serializer[Any]):
    """Series are lists of {at | day, count}; breakdowns are objects of counts."""

    totals = serializers.DictField(child=serializers.IntegerField())
    registrationsByDay = serializers.ListField(child=serializers.DictField())
    registrationsByHour = serializers.ListField(child=serializers.DictField())
    registrationsByMinute = serializers.ListField(child=serializers.DictField())
    eventsByDay = serializers.ListField(child=serializers.DictField())
    eventsByHour = serializers.ListField(child=serializers.DictField())
    eventsByMinute = serializers.ListField(child=serializers.DictField())
    byAgeBand = serializers.DictField(child=serializers.IntegerField())
    bySex = serializers.DictField(child=serializers.IntegerField())
    byRegion = serializers.DictField(child=serializers.IntegerField())
    bySource = serializers.DictField(child=serializers.IntegerField())
    billing = serializers.DictField(child=serializers.IntegerField())
    asOf = serializers.DateTimeField()
    lagSeconds = serializers.FloatField()
    lastEventAt = serializers.DateTimeField(allow_null=True)
    stale = serializers.BooleanField(
        help_text="True for the last known figures while the stream processor is away"
    )


class Analytics(APIView):
    permission_classes = (needs("analytics.view_figures"),)

    @extend_schema(
        parameters=[IF_NONE_MATCH, ETAG],
        responses={200: Figures, 304: None},
        summary="Live figures",
    )
    def get(self, request: Request) -> Response:
        """Figures with their lag. Poll with If-None-Match: 304 while nothing moves."""
        figures = read_figures()
        tag = compute_etag(figures)
        if request.headers.get("If-None-Match") == tag:
            return Response(status=304, headers={"ETag": tag})
        return Response(figures, headers={"ETag": tag, "Cache-Control": "no-cache"})
