"""Tells whether two given names are one name: another spelling, a part, an initial, or a nickname.

It is stricter than similarity, which makes two people worth comparing: twins are often called Anna
and Hanna, or Jan and Jana.
"""

import re

# In each line a name and its short forms. A short form that is as common on its own, such as Anna
# of Hannah, is left out: sisters may have both.
_NICKNAMES = """
    abigail abby gail; albert al bert; alexander alex alec alexandre sandy sascha; alfred alf
    fred; alexandra alex sandra; amanda mandy; andrew andy drew; angela angie; anthony tony
    antony; antonio toni tonio; archibald archie; arthur art; barbara barb barbie babs; benjamin
    ben benny; bernard bernie; bradley brad; caroline carrie; catherine cathy cath cate kate
    katie kitty; katharina kathi kathe kati; charles charlie chuck chas; charlotte lottie;
    christian chris; christina chris chrissy tina; christine chris chrissy; christopher chris
    kit topher; clifford cliff; constance connie; cynthia cindy; daniel dan danny; david dave
    davy; deborah deb debbie debra; dennis denny; donald don donny; dominic dom; dorothy dot
    dottie dolly; douglas doug; edmund ed eddie; edward ed eddie ted teddy ned; eleanor ellie
    nell nellie; elisabeth liz lizzie beth betsy betty eliza lisbeth; elizabeth liz lizzie beth
    betsy betty eliza libby; emily em; eugene gene; evelyn evie; florence flo; frances fran
    frannie; francis frank; franklin frank; francisco paco pancho; frederick fred freddie
    freddy; friedrich fritz; gabriel gabe; gerald gerry jerry; gertrude gertie trudy; gregory
    greg; gwendolyn gwen; harold hal harry; henry hank harry hal; heinrich heinz; herbert herb
    bert; howard howie; hubert bert; ignacio nacho; isabella bella izzy; jacob jake; jacqueline
    jackie; james jim jimmy jamie; isabel isabelle; janet jan; jeffrey geoffrey jeff geoff;
    jennifer jen jenny; jeremiah jerry; jessica jess jessie; joachim jochen achim; joan joanie;
    john johnny jack; johannes hannes; jonathan jon johnny; joseph joe joey; jose pepe; josef
    sepp; joshua josh; judith judy; julian jules; kathryn catherine katherine katharine; kenneth
    ken kenny; kimberly kim; kristina kris tina; lawrence larry; leonard len lenny leo; leroy
    roy; lillian lily lil; louis lou; lucille lucy; ludwig lutz; manuel manny manolo; margaret
    maggie meg peg peggy madge marge greta; margarete grete gretel; martha marty; martin marty;
    matthew matt; matthias matze; maximilian max; melissa missy; michael mike mick mickey mikey;
    mitchell mitch; mildred millie; mohammed mohamed muhammad mohammad; nathaniel nathan nate
    nat; nicholas nick nicky; nicole nicky; norman norm; oliver ollie; pamela pam; patricia pat
    patty trish tricia; patrick pat paddy; peter pete; philip phil pip; rachel rach; randall
    randy; raymond ray; rebecca becky becca; reginald reg reggie; richard rick ricky dick rich
    richie; robert rob robbie bob bobby; roderick rod; roger rodge; ronald ron ronnie; rosemary
    rosie; rudolf rudi; rudolph rudy; russell russ; samantha sam; samuel sam sammy; sebastian
    seb basti; shirley shirl; sidney sid; stanley stan; stefan steffen; stephen steve stevie;
    steven steve stevie; stephanie steph; susan sue susie suzy; susanne susi; suzanne sue suzy;
    terence terry; teresa terry tess; theodore ted teddy theo; theresa terry tess; thomas tom
    tommy; timothy tim timmy; ulrich uli; ursula uschi ulla; valerie val; veronica ronnie vera;
    victor vic; victoria vicky tori; vincent vince vinny; virginia ginny; walter walt wally;
    wilhelm willi willy; william will willie bill billy; wolfgang wolf; zachary zach zack; zoe
    zoey
"""
_FORMS = [frozenset(line.split()) for line in _NICKNAMES.split(";")]
# Letters of a name in which no two are exchanged by a name of its own, as in Maira and Maria.
_MIN_LETTERS_FOR_SWAP = 6
# How one name is written by several people, in this order: German vowels, Greek letters, an h that
# nobody hears, doubled letters. A last e stays: Simon and Simone are two.
_SPELLING_RULES = [
    (r"[^\w]", ""),
    (r"([aou])e(?=[^aeiou])", r"\1"),
    (r"ph|v", "f"),
    (r"ck|ch(?=r)|c(?=[aou]|[^aeiouhy]|$)|q", "k"),
    (r"(?<=.)h", ""),
    (r"ie|y", "i"),
    (r"z", "s"),
    (r"([^aeiou])\1+", r"\1"),
]

# What a maternity ward writes before a child has a name: Baby Boy, BabyGirl2, Twin A, Judy Girl B.
_NEWBORN_WORDS = "baby|newborn|neonate|infant|twin|triplet|boy|girl"
_NEWBORN = re.compile(rf"(?:{_NEWBORN_WORDS})+(?:[a-e]|[0-9]+)?")
_NEWBORN_PARTS = re.compile(rf"{_NEWBORN_WORDS}|[0-9]+|[a-z]+")
_SEXES = {"boy": "male", "male": "male", "girl": "female", "female": "female"}
_PLACES = {"one": "1", "two": "2", "three": "3", "first": "1", "second": "2", "third": "3"} | {
    letter: str(number) for number, letter in enumerate("abcde", start=1)
}


def are_other_newborns(first: str, second: str) -> bool:
    """Returns whether two folded given names are those of two newborns, as Baby A and Baby B.

    The words say so themselves: another sex, or another place among twins.
    """
    marks = [_newborn_marks(name) for name in (first, second)]
    if not all(marks):
        return False
    return any(mark and other and mark != other for mark, other in zip(*marks, strict=True))


def _newborn_marks(name: str) -> tuple[str, str] | None:
    """Returns sex and place among twins, each empty if it is not said; None for another name."""
    parts: list[str] = []
    has_newborn_word = False
    for word in name.split():
        is_newborn_word = bool(_NEWBORN.fullmatch(word))
        has_newborn_word = has_newborn_word or is_newborn_word
        parts += _NEWBORN_PARTS.findall(word) if is_newborn_word else [word]
    if not has_newborn_word:
        return None
    sexes = [_SEXES[part] for part in parts if part in _SEXES]
    places = [part if part.isdigit() else _PLACES.get(part, "") for part in parts]
    return next(iter(sexes), ""), next(filter(None, places), "")


def is_same_given_name(first: str, second: str) -> bool:
    """Returns whether two folded given names may be one person's, as far as the names tell.

    An empty name tells nothing.
    """
    first_words, second_words = first.split(), second.split()
    if not first_words or not second_words or "".join(first_words) == "".join(second_words):
        return True
    fewer, more = sorted((first_words, second_words), key=len)
    left = list(more)  # Each word stands for one: the B of Baby B is not the initial of Baby.
    for word in fewer:
        same = [other for other in left if _is_same_word(word, other)]
        if not same:
            return False
        left.remove(word if word in same else same[0])
    return True


def _is_same_word(first: str, second: str) -> bool:
    if first == second or _spelling_key(first) == _spelling_key(second):
        return True
    if 1 in (len(first), len(second)):  # An initial.
        return first[0] == second[0]
    return _are_nicknames(first, second) or _has_two_letters_swapped(first, second)


def _spelling_key(name: str) -> str:
    for pattern, plain in _SPELLING_RULES:
        name = re.sub(pattern, plain, name)
    return name


def _are_nicknames(first: str, second: str) -> bool:
    return any(first in forms and second in forms for forms in _FORMS)


def _has_two_letters_swapped(first: str, second: str) -> bool:
    """Returns True for Michael and Micheal; the first and the last letter make another name."""
    if len(first) != len(second) or len(first) < _MIN_LETTERS_FOR_SWAP:
        return False
    places = [place for place, letter in enumerate(first) if letter != second[place]]
    if len(places) != 2 or places[1] - places[0] != 1:
        return False
    left, right = places
    is_inside = left > 0 and right < len(first) - 1
    return is_inside and (first[left], first[right]) == (second[right], second[left])
