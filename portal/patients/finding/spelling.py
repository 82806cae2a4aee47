"""How far apart two words are written."""


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
