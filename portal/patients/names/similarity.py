"""How two names are alike: the same, in part, one letter off, or by their sound."""

from functools import lru_cache

from portal.patients.names.phonetics import phonetic_key

MIN_TELLING_LETTERS = (
    4  # Below this many letters one letter makes another name: Lee and Lea, Kim and Kit.
)
SAME, _IN_PART, _ONE_OFF, _ALIKE = (
    "same",
    "in part the same",
    "one letter off in the",
    "alike sounding",
)


def compare_names(one: str, other: str) -> str:
    """In which way two folded names are alike; empty where they are not."""
    joined, other_joined = one.replace(" ", ""), other.replace(" ", "")
    if not joined or not other_joined:
        return ""
    if joined == other_joined:
        return SAME
    if _share_a_word(one, other):
        return _IN_PART
    if _is_one_letter_off(joined, other_joined):
        return _ONE_OFF
    sound = _sound(joined)
    return _ALIKE if sound and sound == _sound(other_joined) else ""


_sound = lru_cache(maxsize=10_000)(
    phonetic_key
)  # The same few names meet again and again while somebody types.


def _share_a_word(one: str, other: str) -> bool:
    """Smith-Jones and Smith, Anna Maria and Anna; short words such as `de` and `von` tell nothing."""
    return any(len(word) >= MIN_TELLING_LETTERS for word in {*one.split()} & {*other.split()})


def _is_one_letter_off(one: str, other: str) -> bool:
    shortest, longest = sorted((len(one), len(other)))
    return (
        shortest >= MIN_TELLING_LETTERS
        and longest - shortest <= 1
        and edits_between(one, other) == 1
    )


def edits_between(one: str, other: str) -> int:
    """How many letters to add, leave out, change or swap with the next to make one word the other.

    The optimal string alignment distance (Boytsov 2011): no letter is changed twice.
    """
    before, row = [0] * (len(other) + 1), list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        above_before, before, row = before, row, [at]
        for across, there in enumerate(other, 1):
            cost = min(before[across] + 1, row[-1] + 1, before[across - 1] + (letter != there))
            if at > 1 and across > 1 and letter == other[across - 2] and one[at - 2] == there:
                cost = min(cost, above_before[across - 2] + 1)
            row.append(cost)
    return row[-1]
