"""Says what becomes of each character when a name is folded; the SQL function does the same.

The search, the match of two records and the index of names agree only while `fold_character` and
portal/patients/sql/patients_fold.sql do. A test compares both over all of Unicode.
"""

import re
import unicodedata
from functools import lru_cache

# Accents that stand alone, typed for an apostrophe. NFKD would make a space and a mark of each.
SPACING_ACCENTS = dict.fromkeys(map(ord, "\u00b4\u1fbd\u1fbf\u1ffd\u1ffe"))

# Letters of which the second line has the plain form. A stroke, hook or tail is an accent that NFKD
# leaves on its letter. Greek has a second small sigma. Keyboards of other languages have other
# forms of one Arabic letter. Katakana and hiragana are two ways to write one name, and some
# characters of Japanese family names have an older form.
_SAME_LETTERS = (
    ("øđħıłŧƀƃƈƌƒƙƚƞƥƫƭƴƶǥȡȥȴȵȶȷȼȿɀɇɉɋɍɏɓɕɖɗɟɠɦɨɫɬɭɱɲɳɼɽɾʂʄʈʋʐʑʝʠ",
     "odhiltbbcdfklnpttyzgdzlntjcszejqrybcddjghilllmnnrrrsjtvzzjq"),
    ("ðŋĸɛɔəǝɣɩʊςґ",
     "dnkeoaagiuσг"),
    ("\u0649\u06cc\u06d2\u06a9\u06c1\u06be\u06d5\u06c3\u0629\u0671\u0672\u0673\u06ba",
     "\u064a\u064a\u064a\u0643\u0647\u0647\u0647\u0647\u0647\u0627\u0627\u0627\u0646"),
    ("ァアィイゥウェエォオカキクケコサシスセソタチッツテトナニヌネノハヒフヘホマミムメモャヤュユョヨ",
     "ぁあぃいぅうぇえぉおかきくけこさしすせそたちっつてとなにぬねのはひふへほまみむめもゃやゅゆょよ"),
    ("ラリルレロヮワヰヱヲンヵヶ髙﨑栁濵濱邉邊齋齊澤廣國櫻嶋",
     "らりるれろゎわゐゑをんゕゖ高崎柳浜浜辺辺斎斉沢広国桜島"),
    ("學實榮圓惠壽眞藏豐龍瀧澁萬與禮彌德繩條鐵關黑淸增莊峯冨舘槇嶌渕穗團强靜賴彥晉槪鄕黃藝龜𠮷曻桒惪寶應勳亞榘樂嶽卷堯囑拔",
     "学実栄円恵寿真蔵豊竜滝渋万与礼弥徳縄条鉄関黒清増荘峰富館槙島淵穂団強静頼彦晋概郷黄芸亀吉昇桑徳宝応勲亜矩楽岳巻尭嘱抜"),
)  # fmt: skip
_PLAIN_FORMS = {
    letter: plain
    for letters, plain_letters in _SAME_LETTERS
    for letter, plain in zip(letters, plain_letters, strict=True)
} | {"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th"}

# Marks that repeat the character before them: 佐々木 is also written 佐佐木.
REPEATED = re.compile("(.)[\u3005\u303b\u309d\u30fd]", re.DOTALL)

# What no name is told apart by, and what separates no words: apostrophes and letters that are
# typed as such, accents, the vowel signs of Hebrew, Arabic and Syriac, the hamza alone, the stroke
# that stretches an Arabic word, and fillers of Korean keyboards.
_LEFT_OUT = """
    27 60 2018-2019 201b 2032 2035 2b9-2ff 55a 5f3-5f4 7f4-7f5 a78b-a78c
    300-36f 1dc0-1dff 2de0-2dff a674-a67b a69e-a69f 5b0-5bd 5bf 5c1-5c2 5c4-5c5 5c7 fb1e
    610-61a 621 640 64b-65f 670 674 6d6-6dc 6e1-6e4 6e7-6e8 6ed 8d4-8df 8e3-8ff 711 730-73f
    115f-1160 3164
"""
# Unicode's Other_Alphabetic behind U+036F, as PostgreSQL 18 has it: `unicodedata` does not say.
_VOWEL_SIGNS = """
    5b0-5bd 5bf 5c1-5c2 5c4-5c5 5c7 610-61a 64b-657 659-65f 670 6d6-6dc 6e1-6e8 6ed 711-73f
    7a6-7b0 816-817 81b-82c 8d4-8df 8e3-8e9 8f0-93b 93e-94c 94e-94f 955-963 981-983 9be-9c8
    9d7-9e3 a01-a03 a3e-a4c a51 a70-a75 a81-a83 abe-acc ae2-ae3 afa-afc b01-b03 b3e-b47 b56-b63
    b82-bc8 bd7 c00-c04 c3e-c4c c55-c63 c81-c83 cbe-ccc cd5-ce3 d00-d03 d3e-d48 d57 d62-d63
    d81-d83 dcf-ddf df2-df3 e31-e3a e4d eb1-eb9 ebb-ebc ecd f71-f83 f8d-fbc 102b-1036 1038
    103b-103e 1056-108f 109a-109d 1712-1713 1732-1733 1752-1773 17b6-17c8 1885-1938 1a17-1a1b
    1a55-1a5e 1a61-1a74 1abf-1ac0 1acc-1b04 1b35-1b42 1b80-1ba9 1bac-1bad 1be7-1bf1 1c24-1c36
    1dd3-1df4 2de0-2dff a674-a67b a69e-a69f a802 a80b-a827 a880-a8c3 a8c5 a8ff a926-a92a a947-a952
    a980-a983 a9b4-a9bf a9e5 aa29-aa4d aa7b-aabe aaeb-aaef aaf5 abe3-abea fb1e 10376-1037a
    10a01-10a0f 10d24-10d27 10eab-10eac 11000-11045 11073-11074 11080-110b8 110c2 11100-11132
    11145-11146 11180-111bf 111ce-111cf 1122c-11234 11237 1123e 112df-112e8 11300-11303
    1133e-11348 11357-11363 11435-11441 11443-11445 114b0-114c1 115af-115be 115dc-1163e 11640
    116ab-116b5 1171d-1172a 1182c-11838 11930-1193c 11940-11942 119d1-119df 119e4-11a0a
    11a35-11a3e 11a51-11a97 11c2f-11c3e 11c92-11d41 11d43 11d47 11d8a-11d96 11ef3-11ef6
    16f4f-16f92 16ff0-16ff1 1bc9e 1e000-1e02a 1e947 1f150-1f169 1f170-1f189
"""


def _characters(ranges: str) -> frozenset[str]:
    """Returns the characters of ranges such as `5b0-5bd 5bf`."""
    found: set[str] = set()
    for part in ranges.split():
        first, _, last = part.partition("-")
        found.update(map(chr, range(int(first, 16), int(last or first, 16) + 1)))
    return frozenset(found)


_LETTER_CATEGORIES = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nl"})
_SIGNS_IN_WORDS = _characters(_VOWEL_SIGNS)
_NEVER_SHOWN = _characters(_LEFT_OUT)


@lru_cache(maxsize=20_000)
def fold_character(character: str) -> str:
    """Returns the folded letters of a character in NFKD; a space where it separates words.

    It is empty for accents, apostrophes and for characters that nobody sees: format characters
    such as the soft hyphen, and marks that belong to the letter before them.
    """
    if character in _NEVER_SHOWN:
        return ""
    if _is_in_word(character):
        lower = character.lower()
        return _PLAIN_FORMS.get(lower, lower)
    if character.isascii() or unicodedata.category(character)[0] in "PSZ":
        return " "
    return " " if unicodedata.category(character) == "Cc" else ""


def _is_in_word(character: str) -> bool:
    """Returns whether `[[:alnum:]]` of `pg_c_utf8` matches it: letters, their signs, 0 to 9."""
    if character.isascii():
        return character.isalnum()
    return unicodedata.category(character) in _LETTER_CATEGORIES or character in _SIGNS_IN_WORDS
