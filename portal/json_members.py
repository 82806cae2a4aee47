"""Members of JSON bodies that take one type of JSON, and check their bound before all else."""

from typing import Any
from uuid import UUID

from rest_framework import serializers


class TextMember(serializers.CharField):
    """A text; a number or a boolean is none."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Returns the text. ValidationError for what is too long, before it is read."""
        if isinstance(data, str) and self.max_length and len(data) > self.max_length:
            message = f"Use at most {self.max_length} characters; this has {len(data)}."
            raise serializers.ValidationError(message, "too-long")
        return super().run_validation(data)

    def to_internal_value(self, data: Any) -> str:
        _refuse_other_types(data, str, "not-text", "Give text.")
        return super().to_internal_value(data)


class IdMember(serializers.UUIDField):
    """An id as a text; UUIDField takes numbers too."""

    def to_internal_value(self, data: Any) -> UUID:
        _refuse_other_types(data, str, "not-text", "Give the id as text.")
        return super().to_internal_value(data[:100])


class NumberMember(serializers.IntegerField):
    """A whole number; IntegerField takes texts of digits too."""

    def to_internal_value(self, data: Any) -> int:
        _refuse_other_types(data, (int, float), "not-a-number", "Give a whole number.")
        return super().to_internal_value(data)


def _refuse_other_types(value: Any, kind: Any, code: str, message: str) -> None:
    if isinstance(value, bool) or not isinstance(value, kind):
        raise serializers.ValidationError(message, code)
