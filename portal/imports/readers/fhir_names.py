"""The name of a FHIR Patient: the present one of several, in parts or as one text."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from portal.imports.readers.fhir_choice import in_order, is_present
from portal.imports.readers.fhir_parts import (
    Part,
    count,
    get_objects,
    get_open_parts,
    get_text,
    get_texts,
)
from portal.text import has_letter

_USES = ("official", "usual", None, "temp", "anonymous", "maiden", "old", "nickname")
# How a name is written (ISO 21090): in ideographs, in an alphabet, or in letters of its sounds,
# such as kana. The first is the name, the others spell it.
_SPELLINGS = {"ABC": 1, "SYL": 2}
_TITLE = re.compile(r"\(\s*((?:mr|mrs|ms|miss|mx|dr|prof|sir|dame|rev)\.?)\s*\)", re.IGNORECASE)


def read_name(resource: Mapping[str, Any], left_out: Counter[str]) -> dict[str, str]:
    """Returns the fields of the patient's name, and counts the names that have no place."""
    parts = get_open_parts(resource, "name", left_out, "name")
    written = [(item, words) for item in parts if (words := _words(item))]
    names = [item for item, words in written if has_letter(words)]
    count(left_out, "name without letters", len(written) - len(names))
    full = [item for item in names if item.get("use") != "nickname"] or names
    ordered = sorted(in_order(full, _USES), key=_spelling)
    name = ordered[0] if ordered else {}
    preferred = _preferred(name, [item for item in names if item is not name])
    count(left_out, "name", len(names) - bool(name) - bool(preferred))
    family, given, title = parse_name_text(
        get_text(name, "text", "name"), _family(name), get_texts(name, "given", "name")
    )
    return {
        "family_name": family,
        "given_name": given[0] if given else "",
        "middle_name": " ".join(given[1:]),
        "prefix": " ".join(get_texts(name, "prefix", "name")) or title,
        "suffix": " ".join(get_texts(name, "suffix", "name")),
        "preferred_name": _called(preferred),
    }


def _preferred(name: Part, others: list[Part]) -> Part:
    """Returns the name that says how the patient likes to be called; {} if there is none.

    Beside an official name that is the usual one, unless it has another family name.
    """
    nicknames = [item for item in others if item.get("use") == "nickname" and is_present(item)]
    if nicknames:
        return in_order(nicknames, ("nickname",))[0]
    for item in others:
        is_usual = item.get("use") == "usual" and is_present(item) and not _spelling(item)
        if is_usual and _family(item) in ("", _family(name)) and _called(item):
            return item
    return {}


def _called(item: Part) -> str:
    given = " ".join(get_texts(item, "given", "name"))
    if item.get("use") == "usual":
        return given
    return given or get_text(item, "text", "name") or _family(item)


def _family(item: Part) -> str:
    """Returns the family name; before R3, FHIR had a list of them."""
    if isinstance(item.get("family"), list):
        return " ".join(get_texts(item, "family", "name"))
    return get_text(item, "family", "name")


def _words(item: Part) -> str:
    words = [get_text(item, "text", "name"), _family(item), *get_texts(item, "given", "name")]
    return " ".join(filter(None, words))


def _spelling(item: Part) -> int:
    if "extension" not in item:
        return 0
    extensions = get_objects(item, "extension", "name")
    codes = [get_text(extension, "valueCode", "name.extension") for extension in extensions]
    return max((_SPELLINGS.get(code, 0) for code in codes), default=0)


def parse_name_text(text: str, family: str, given: list[str]) -> tuple[str, list[str], str]:
    """Returns family name, given names and title, as far as the text tells what is not given.

    `SMITH, Jane (Ms)` has a comma behind its family name. Without a comma nobody knows which word
    is the family name, and so the whole text stays one name, unless one half of it is known.
    """
    if family and given and not text:
        return family, given, ""
    title = _TITLE.search(text)
    words = " ".join(_TITLE.sub(" ", text).split())
    prefix = title[1] if title else ""
    if family and given:
        return family, given, prefix
    before, comma, behind = words.partition(",")
    if family:
        return family, _without(words, family, is_first=False).split(), prefix
    if given:
        return _without(words, " ".join(given), is_first=True), given, prefix
    if comma and before.strip() and behind.strip() and "," not in behind:
        return before.strip(), behind.split(), prefix
    return words, [], prefix


def _without(words: str, known: str, *, is_first: bool) -> str:
    """Returns the words beside the known name, "" if the text has the name elsewhere."""
    folded, part = words.casefold(), known.casefold()
    if folded.startswith(f"{part}, ") and not is_first:
        return words[len(known) + 2 :].strip()
    if is_first and folded.startswith(f"{part} "):
        return words[len(known) + 1 :].strip()
    if is_first and folded.endswith(f", {part}"):
        return words[: -len(known) - 2].strip()
    if not is_first and folded.endswith(f" {part}"):
        return words[: -len(known) - 1].strip()
    return ""
