"""Parts of a FHIR resource, each with a check of its type; nulls are as if they were not there."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

Part = dict[str, Any]
_RESTRICTED_CODES = ("R", "V")  # Of HL7's v3-Confidentiality: restricted and very restricted.
_RESTRICTED_WORDS = ("restricted", "very restricted")


def count(left_out: Counter[str], kind: str, number: int) -> None:
    """Counts parts that are left out; mostly there are none."""
    if number:
        left_out[kind] += number


class InvalidResource(Exception):
    """A part of the resource is not what FHIR says, or the resource is no patient to register.

    `path` names the part, `reason` says what it should be.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path)
        self.path, self.reason = path, reason


def get_objects(holder: Mapping[str, Any], name: str, path: str = "") -> list[Part]:
    """Returns the objects of a list; InvalidResource for anything else."""
    found = holder.get(name)
    if found is None:
        return []
    if not isinstance(found, list):
        raise InvalidResource(_path(path, name), "must be a list of objects")
    objects = [item for item in found if item is not None]
    for item in objects:
        if not isinstance(item, dict):
            raise InvalidResource(_path(path, name), "must be a list of objects")
    return objects


def get_object(holder: Mapping[str, Any], name: str, path: str = "") -> Part:
    """Returns an object, {} if there is none; InvalidResource for anything else."""
    found = holder.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise InvalidResource(_path(path, name), "must be an object")
    return found


def get_texts(holder: Mapping[str, Any], name: str, path: str) -> list[str]:
    """Returns the texts of a list that are not blank; InvalidResource for anything else."""
    found = holder.get(name)
    if found is None:
        return []
    if not isinstance(found, list):
        raise InvalidResource(_path(path, name), "must be a list of texts")
    texts = []
    for item in found:
        if isinstance(item, str):
            if text := item.strip():
                texts.append(text)
        elif item is not None:
            raise InvalidResource(_path(path, name), "must be a list of texts")
    return texts


def get_text(holder: Mapping[str, Any], name: str, path: str = "") -> str:
    """Returns a text, "" if there is none; InvalidResource for anything else."""
    found = holder.get(name)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise InvalidResource(_path(path, name), "must be a text")
    return found.strip()


def get_flag(holder: Mapping[str, Any], name: str) -> bool | None:
    """Returns true or false, None if neither is said; InvalidResource for anything else."""
    found = holder.get(name)
    if found is not None and not isinstance(found, bool):
        raise InvalidResource(name, "must be true or false")
    return found


def get_code(concept: Mapping[str, Any], path: str) -> str:
    """Returns the first code of a concept, else its text."""
    codes = [get_text(coding, "code", path) for coding in get_objects(concept, "coding", path)]
    return next(filter(None, codes), "") or get_text(concept, "text", path)


def get_open_parts(
    resource: Mapping[str, Any], name: str, left_out: Counter[str], kind: str
) -> list[Part]:
    """Returns the objects of a list that may be read, and counts the others.

    A modifier extension may say that a part is not what it seems, and a label that it is hidden.
    """
    parts = []
    for part in get_objects(resource, name):
        if "extension" in part and is_part_restricted(part):
            left_out[f"restricted {kind}"] += 1
        elif "modifierExtension" in part and get_objects(part, "modifierExtension", name):
            left_out[f"{kind} with a condition"] += 1
        else:
            parts.append(part)
    return parts


def is_restricting(label: Mapping[str, Any]) -> bool:
    """Tells whether a security label hides what it stands at."""
    code, words = label.get("code"), label.get("display")
    if isinstance(code, str) and code:
        return code.strip().upper() in _RESTRICTED_CODES
    return isinstance(words, str) and words.strip().lower() in _RESTRICTED_WORDS


def is_part_restricted(part: Mapping[str, Any]) -> bool:
    """Tells whether a label of HL7's DS4P hides this part alone."""
    for extension in get_objects(part, "extension"):
        label = extension.get("valueCoding")
        is_label = str(extension.get("url", "")).endswith("inline-sec-label")
        if is_label and isinstance(label, dict) and is_restricting(label):
            return True
    return False


def _path(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
