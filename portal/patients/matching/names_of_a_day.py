"""Chooses, of the people of one day of birth, those whose names may make a strong match.

The names are compared as lists are sorted by them: the folded words of family and given name.
"""

from collections.abc import Sequence

from portal.patients.matching.rules import ComparedFields
from portal.patients.names.phonetics import liquid_consonants, phonetic_key
from portal.patients.names.similarity import compare_names
from portal.patients.normalize import joined_name


def names_worth_comparing(keys: Sequence[str], new: ComparedFields) -> list[str]:
    """Returns those sort keys that a strong match of the new person may have.

    On the same day a strong match has the same family name, similar names in both fields, or the
    same words spelt or parted otherwise. The letters of a key tell most of them apart at once.
    """
    family, given = new.family, new.given
    if not given or " " in family or " " in given:
        return [key for key in keys if _may_match(key, new)]
    first, last, liquids = family[0], f"{family[-1]} ", liquid_consonants(family)
    initial, end, given_liquids = f" {given[0]}", given[-1], liquid_consonants(given)
    found = []
    for key in keys:
        if key[0] == first or last in key:
            if not (
                key[-1] == end
                or initial in key
                or key.replace(" ", "").startswith(family)
                or key.count(" ") != 1
                or liquid_consonants(key.partition(" ")[2]) == given_liquids
            ):
                continue
        elif not (
            key.count(" ") != 1
            or liquid_consonants(key.partition(" ")[0]) == liquids
            or (key[0] == given[0] and key[-1] == family[-1])  # The names may be exchanged.
        ):
            continue
        if _may_match(key, new):
            found.append(key)
    return found


def _may_match(key: str, new: ComparedFields) -> bool:
    family, _, given = key.partition(" ")
    if not given or " " in given:
        return True  # Which of the words are the family name is not known.
    letters = new.family.replace(" ", "")
    if letters in (family, family + given):  # Both words may be a family name.
        return True
    both = (given, new.given), (family, new.family)
    if all(may_be_similar(*names) for names in both) and all(compare_names(*n) for n in both):
        return True
    joined = new.joined_name
    if joined.isascii() and joined[0] not in (family[0], given[0]):
        return False
    return joined in (joined_name(family, given), joined_name(given, family))


def may_be_similar(first: str, second: str) -> bool:
    """Returns False only for folded names that `compare_names` finds not similar; it is quicker.

    Names that are one letter apart have the same first or the same last letter. Two names can
    share a word only if one of them has two words.
    """
    if not first or not second:
        return False
    if first[0] == second[0] or first[-1] == second[-1] or " " in first or " " in second:
        return True
    if liquid_consonants(first) != liquid_consonants(second):
        return False
    return phonetic_key(first) == phonetic_key(second) != ""
