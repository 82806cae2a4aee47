"""The API's documentation: its page, and what the OpenAPI document says of errors."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.views import SpectacularSwaggerView

from portal.accounts.rules import SIGNED_IN, needs
from portal.patients.entered_identifiers import MOST_IDENTIFIERS
from portal.patients.serializers.bodies import SET_BY_SERVER
from portal.problems import MOST_FAULTS, PROBLEM_JSON

METHODS = frozenset({"get", "post", "put", "patch", "delete"})
# Bodies whose unknown members are refused.
STRICT_BODIES = ("NewPatientBody", "PatientBody", "PatchedPatientBody", "Identifier", "MergeBody")
# Bodies that may bring back what an answer said, such as the id.
CHANGING_BODIES = ("PatientBody", "PatchedPatientBody")
_TEXT = {"type": "string"}
PROBLEM = {
    "type": "object",
    "description": "A problem of RFC 9457; some have members of their own beside these.",
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "requestId": _TEXT,
        "errors": {
            "type": "array",
            "maxItems": MOST_FAULTS,
            "items": {
                "type": "object",
                "properties": {"pointer": _TEXT, "code": _TEXT, "detail": _TEXT},
                "required": ["pointer", "code", "detail"],
            },
        },
        "errorCount": {
            "type": "integer",
            "description": "How many members are faulty, where they are more than are named",
        },
    },
    "required": ["type", "title", "status", "detail", "requestId"],
}
# When a route answers an error; "default" stands for those that any server may answer.
_EVERYWHERE = {
    "400": "Something is wrong or unknown",
    "405": "This address has no such method",
    "406": "Accept or `format` asks for another form than JSON",
    "431": "The headers are too large",
    "503": "A store is away",
    "default": "Error",
}
_OF_USERS = {"401": "No valid token", "403": "The role lacks the right"}
_OF_BODIES = {"413": "Too large", "415": "No JSON"}
_OF_ONE_PATIENT = {"404": "There is nothing here", "410": "The patient was deleted for good"}
_OF_CHANGES = {"409": "It does not fit what is there"}
_OF_HEADERS = {
    "If-Match": {"412": "If-Match is stale"},
    "Idempotency-Key": {"422": "The key was used for another request"},
}
_OF_SIGN_IN = {"401": "This is not valid", "429": "Too many attempts"}


def declare_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Hook of drf-spectacular: adds to each route its errors, and closes the strict bodies."""
    schemas = result["components"]["schemas"]
    schemas["Problem"] = PROBLEM
    for name in STRICT_BODIES:
        schemas[name]["additionalProperties"] = False
        if identifiers := schemas[name]["properties"].get("identifiers"):
            identifiers["maxItems"] = MOST_IDENTIFIERS  # It is not drawn from the serializer.
    for name in CHANGING_BODIES:
        members = schemas["FoundPatientJson"]["properties"]
        schemas[name]["properties"] |= {
            member: {"readOnly": True, **members[member]} for member in SET_BY_SERVER
        }
    for path, operations in result["paths"].items():
        for method in METHODS & operations.keys():
            operation = operations[method]
            _allow_empty_filters(operation)
            errors = _errors_of(path, method, operation)
            declared = operation["responses"]
            for status, description in errors.items():
                declared[status] = _problem(description, declared.get(status))
    return result


def _allow_empty_filters(operation: dict[str, Any]) -> None:
    """Says that a filter without a value is none, as a form sends it."""
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "query":
            nothing = {"type": "string", "maxLength": 0}
            parameter["schema"] = {"anyOf": [parameter["schema"], nothing]}


def _errors_of(path: str, method: str, operation: dict[str, Any]) -> dict[str, str]:
    is_sign_in = path.startswith("/auth/")
    errors = _EVERYWHERE | (_OF_SIGN_IN if is_sign_in else _OF_USERS)
    if "requestBody" in operation:
        errors |= _OF_BODIES
    if "{patient_id}" in path:
        errors |= _OF_ONE_PATIENT
    if method != "get" and not is_sign_in:
        errors |= _OF_CHANGES
    for parameter in operation.get("parameters", ()):
        errors |= _OF_HEADERS.get(parameter["name"], {})
    return errors


def _problem(description: str, declared: dict[str, Any] | None) -> dict[str, Any]:
    """Returns the response; a route may have declared members beside those of every problem."""
    schema: dict[str, Any] = {"$ref": "#/components/schemas/Problem"}
    for content in (declared or {}).get("content", {}).values():
        schema = {"anyOf": [{"allOf": [schema, content["schema"]]}, schema]}
    return {"description": description, "content": {PROBLEM_JSON: {"schema": schema}}}


class ApiDocs(SpectacularSwaggerView):
    """Swagger UI. It has a page, and no description of itself."""

    permission_classes = (needs(SIGNED_IN),)
    url_name = "api-schema"

    def options(self, request: Any, *_: Any, **__: Any) -> Any:  # noqa: ARG002 - The name is Django's.
        """Answers the methods alone: REST framework's answer has no template here."""
        return HttpResponse(status=204, headers={"Allow": "GET, HEAD, OPTIONS"})
