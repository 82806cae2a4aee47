"""Names as common as real ones, with a long tail of rare names; and slips in names."""

import random

_FAMILIES_TEXT = """
Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez
Wilson Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark
Ramirez Lewis Robinson Walker Young Allen King Wright Scott Torres Nguyen Hill Flores Green Adams
Nelson Baker Hall Rivera Campbell Mitchell Carter Roberts Gomez Phillips Evans Turner Diaz Parker
Cruz Edwards Collins Reyes Stewart Morris Morales Murphy Cook Rogers Gutierrez Ortiz Morgan Cooper
Peterson Bailey Reed Kelly Howard Ramos Kim Cox Ward Richardson Watson Brooks Chavez Wood James
Bennett Gray Mendoza Ruiz Hughes Price Alvarez Castillo Sanders Patel Myers Long Ross Foster
Jimenez O'Brien McDonald Müller Schmidt Schneider Kowalski
"""
_GIVEN_TEXT = """
James Mary John Patricia Robert Jennifer Michael Linda William Elizabeth David Barbara Richard
Susan Joseph Jessica Thomas Sarah Charles Karen Christopher Lisa Daniel Nancy Matthew Betty
Anthony Margaret Mark Sandra Donald Ashley Steven Kimberly Paul Emily Andrew Donna Joshua Michelle
Kenneth Carol Kevin Amanda Brian Melissa George Deborah Edward Stephanie Ronald Rebecca Timothy
Sharon Jason Laura Jeffrey Cynthia Ryan Dorothy Jacob Amy Gary Kathleen Nicholas Angela Eric
Shirley Jonathan Emma Stephen Brenda Larry Pamela Justin Nicole Scott Anna Brandon Samantha
Benjamin Katherine Samuel Christine
"""
_STARTS_TEXT = "B Br C Ch D Dr F Fr G Gr H J K Kl L M N P Pr R S Sch St T Tr V W Z"
_MIDDLES_TEXT = "a e i o u ei ou an en in on ar er or al el il am em ab ach eck ing ur"
_ENDS_TEXT = (
    "bach berg man son ov ski ez ini etti dal ton ford field well ley er"
    " mann stein wald hoff ner ck ss t n"
)
FAMILIES, GIVEN = _FAMILIES_TEXT.split(), _GIVEN_TEXT.split()
_STARTS, _MIDDLES, _ENDS = _STARTS_TEXT.split(), _MIDDLES_TEXT.split(), _ENDS_TEXT.split()
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def rare_names(count: int) -> list[str]:
    """Returns different made-up names, the same every time."""
    dice = random.Random(count)
    found: dict[str, None] = {}
    while len(found) < count:
        middle = "".join(dice.choices(_MIDDLES, k=dice.choice((1, 1, 2))))
        found[f"{dice.choice(_STARTS)}{middle}{dice.choice(_ENDS)}"] = None
    return list(found)


def misspelt(name: str, dice: random.Random) -> str:
    """Returns the name with a letter added, left out, changed, or swapped with the next."""
    at = dice.randrange(len(name))
    letter = dice.choice(_LETTERS)
    slips = [
        name[:at] + letter + name[at:],
        name[:at] + name[at + 1 :],
        name[:at] + letter + name[at + 1 :],
    ]
    if at + 1 < len(name):
        slips.append(name[:at] + name[at + 1] + name[at] + name[at + 2 :])
    return dice.choice(slips)
