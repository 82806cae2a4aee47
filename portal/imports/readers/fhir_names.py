"""Names that a FHIR resource has as one text."""

import re

_TITLE = re.compile(r"\(\s*((?:mr|mrs|ms|miss|mx|dr|prof|sir|dame|rev)\.?)\s*\)", re.IGNORECASE)


def parse_name_text(text: str, family: str, given: list[str]) -> tuple[str, list[str], str]:
    """Returns family name, given names and title, as far as the text tells what is not given.

    `SMITH, Jane (Ms)` has a comma behind its family name. Without a comma nobody knows which word
    is the family name, and so the whole text stays one name, unless one half of it is known.
    """
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
