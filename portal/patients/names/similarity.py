"""How similar two names are: the same, in part the same, one letter off, or alike in sound."""

from enum import StrEnum

from rapidfuzz.distance import OSA

from portal.patients.names.phonetics import liquid_consonants, phonetic_key

# Letters. In a shorter name one letter makes another name (Lee and Lea, Kim and Kit), and a
# shorter word of a name tells nothing (`de`, `von`).
MIN_TELLING_LETTERS = 4


class NameSimilarity(StrEnum):
    """The way in which two names are similar, in words that stand before `family name`."""

    SAME = "same"
    IN_PART = "in part the same"
    ONE_LETTER_OFF = "one letter off in the"
    SOUND = "alike sounding"


def compare_names(first: str, second: str) -> NameSimilarity | None:
    """Returns how two folded names are similar, or None if they are not."""
    first_joined, second_joined = first.replace(" ", ""), second.replace(" ", "")
    if not first_joined or not second_joined:
        return None
    if first_joined == second_joined:
        return NameSimilarity.SAME
    if (" " in first or " " in second) and _share_a_word(first, second):
        return NameSimilarity.IN_PART
    if _is_one_letter_off(first_joined, second_joined):
        return NameSimilarity.ONE_LETTER_OFF
    if liquid_consonants(first_joined) != liquid_consonants(second_joined):
        return None
    key = phonetic_key(first_joined)
    return NameSimilarity.SOUND if key and key == phonetic_key(second_joined) else None


def edit_distance(first: str, second: str) -> int:
    """Returns how many letters to add, drop, change or swap make one word the other.

    This is the optimal string alignment distance (Boytsov 2011): no letter is changed twice.
    """
    return OSA.distance(first, second)


def _share_a_word(first: str, second: str) -> bool:
    """Returns True for Smith-Jones and Smith, or Anna Maria and Anna."""
    shared = set(first.split()) & set(second.split())
    return any(len(word) >= MIN_TELLING_LETTERS for word in shared)


def _is_one_letter_off(first: str, second: str) -> bool:
    if min(len(first), len(second)) < MIN_TELLING_LETTERS:
        return False
    return edit_distance(first, second) == 1
