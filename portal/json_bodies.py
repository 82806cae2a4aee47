"""The bodies of the REST API: JSON whose size, depth and members are bounded before it is used."""

import json
import re
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.utils.http import parse_header_parameters
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.request import Request

from portal.errors import InvalidInput, NotJson, TooLarge

MOST_MEMBERS = 500  # Of one object; a patient has some thirty.
DEEPEST = 16  # Levels of lists and objects within one another; a patient has three.
LONGEST_NAME = 60  # Characters of a member's name that an error repeats.
# A string, even one without its end, or a bracket. Nothing is looked at twice.
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)


class BoundedJSONParser(JSONParser):
    """Reads JSON of a bounded size and depth, in which objects have few members, each once."""

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002 - REST framework gives it.
    ) -> Any:
        """Returns the value. InvalidInput and TooLarge say which bound it breaks."""
        _refuse_other_charsets(media_type or "")
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise TooLarge(f"Send at most {limit // 1024} KB.")
        try:
            text = body.decode()
            refuse_deep_json(text)
            return json.loads(
                text, object_pairs_hook=_without_repeats, parse_constant=_refuse_constant
            )
        except ValueError as error:
            raise ParseError(f"This is not JSON: {_fault(error)}") from error


def json_object(request: Request) -> dict[str, Any]:
    """Returns the body of a request. InvalidInput if it is not an object."""
    if not isinstance(request.data, dict):
        raise InvalidInput("Send a JSON object.")
    return request.data


def _refuse_other_charsets(media_type: str) -> None:
    """Raises NotJson unless the text is UTF-8, as JSON is (RFC 8259, section 8.1)."""
    _, parameters = parse_header_parameters(media_type)
    if parameters.get("charset", "utf-8").lower() not in {"utf-8", "utf8", "us-ascii"}:
        raise NotJson


def refuse_deep_json(text: str) -> None:
    """Raises InvalidInput where lists and objects lie over DEEPEST levels in one another."""
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        if match[0] in "[{":
            depth += 1
        elif match[0] in "]}":
            depth -= 1
        if depth > DEEPEST:
            message = f"Send lists and objects at most {DEEPEST} levels deep in one another."
            raise InvalidInput(message)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MOST_MEMBERS:
        message = f"Send at most {MOST_MEMBERS} members in one object; this has {len(pairs)}."
        raise InvalidInput(message)
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            # A name may hold half of a character, which no answer could be written with.
            shown = name[:LONGEST_NAME].encode(errors="replace").decode()
            raise InvalidInput(f"Send each member once: “{shown}” comes twice in one object.")
        members[name] = value
    return members


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number of JSON.")


def _fault(error: ValueError) -> str:
    """Returns where the text is wrong, without a word of it."""
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}, column {error.colno}."
    if isinstance(error, UnicodeDecodeError):
        return "its characters are not those of its charset (UTF-8)."
    return "a number has too many digits, or is none."
