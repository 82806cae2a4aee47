"""Names as common as they are among people: some that many bear, and a long tail that few do; and slips in them."""

import random

FAMILIES = """
Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson
Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis Robinson
Walker Young Allen King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera Campbell
Mitchell Carter Roberts Gomez Phillips Evans Turner Diaz Parker Cruz Edwards Collins Reyes Stewart Morris
Morales Murphy Cook Rogers Gutierrez Ortiz Morgan Cooper Peterson Bailey Reed Kelly Howard Ramos Kim Cox Ward
Richardson Watson Brooks Chavez Wood James Bennett Gray Mendoza Ruiz Hughes Price Alvarez Castillo Sanders Patel
Myers Long Ross Foster Jimenez O'Brien McDonald Müller Schmidt Schneider Kowalski
""".split()  # noqa: SIM905
GIVEN = """
James Mary John Patricia Robert Jennifer Michael Linda William Elizabeth David Barbara Richard Susan Joseph
Jessica Thomas Sarah Charles Karen Christopher Lisa Daniel Nancy Matthew Betty Anthony Margaret Mark Sandra
Donald Ashley Steven Kimberly Paul Emily Andrew Donna Joshua Michelle Kenneth Carol Kevin Amanda Brian Melissa
George Deborah Edward Stephanie Ronald Rebecca Timothy Sharon Jason Laura Jeffrey Cynthia Ryan Dorothy Jacob Amy
Gary Kathleen Nicholas Angela Eric Shirley Jonathan Emma Stephen Brenda Larry Pamela Justin Nicole Scott Anna
Brandon Samantha Benjamin Katherine Samuel Christine
""".split()  # noqa: SIM905
_STARTS = "B Br C Ch D Dr F Fr G Gr H J K Kl L M N P Pr R S Sch St T Tr V W Z".split()  # noqa: SIM905
_MIDDLES = "a e i o u ei ou an en in on ar er or al el il am em ab ach eck ing ur".split()  # noqa: SIM905
_ENDS = "bach berg man son ov ski ez ini etti dal ton ford field well ley er mann stein wald hoff ner ck ss t n".split()  # noqa: SIM905
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def rare_names(count: int) -> list[str]:
    """Made-up names, each once, the same every time."""
    dice = random.Random(count)
    found: dict[str, None] = {}
    while len(found) < count:
        middle = "".join(dice.choices(_MIDDLES, k=dice.choice((1, 1, 2))))
        found[f"{dice.choice(_STARTS)}{middle}{dice.choice(_ENDS)}"] = None
    return list(found)


def misspelt(name: str, dice: random.Random) -> str:
    """The name with one letter added, left out, changed, or swapped with the next."""
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
