"""CSV files as programs and people make them: what comes in, or why it does not."""

import pytest

from tests.real_files.expected import (
    GUS,
    GUS_LINE,
    HEADER,
    NO_HEADER,
    TILDA,
    TILDA_LINE,
    Expected,
    check,
    person,
)

pytestmark = pytest.mark.django_db

BOTH = Expected([TILDA, GUS])
OTHER_CODES = "other codes than English ones"
SHORTENED = "shortened this number"
UNNAMED = "Enter a family name or a given name"

FILES = {
    # How cells are parted and quoted.
    "comma in quotes": (
        'first,last,address,city,zip\nJan,Osk,120 any st.,"Anytown, WW",08123\n',
        Expected(
            [
                {
                    "family_name": "Osk",
                    "given_name": "Jan",
                    "address_line1": "120 any st.",
                    "city": "Anytown, WW",
                    "postal_code": "08123",
                }
            ]
        ),
    ),
    "empty cells": (
        f'{HEADER}Ormsby,"",,\n,Gus,"",\n',
        Expected([{"family_name": "Ormsby"}, {"given_name": "Gus"}]),
    ),
    "empty cells, CRLF": ('a,b,c\r\n1,"",""\r\n2,3,4\r\n', Expected(message=NO_HEADER)),
    "doubled quotes": (
        f'{HEADER}Ormsby,"Tilda ""Til""",1984-03-15,female\n',
        Expected([TILDA | {"given_name": 'Tilda "Til"'}]),
    ),
    "JSON in a cell": (
        'mrn,family_name,address\nX1,Ormsby,"{""type"": ""Point"", ""xy"": [1.5, 2]}"\n',
        Expected(
            [
                {
                    "family_name": "Ormsby",
                    "address_line1": '{"type": "Point", "xy": [1.5, 2]}',
                    "identifiers": ["mrn-other|X1"],
                }
            ]
        ),
    ),
    "a pair in a cell": (
        'family_name,given_name,place\nOrmsby,Tilda,"37.78, -122.4"\n',
        Expected([person("Ormsby", "Tilda")], ignored=["place"]),
    ),
    "line end in a cell": (
        'family_name,given_name,address\nOrmsby,Tilda,"Once upon\na time"\n',
        Expected([person("Ormsby", "Tilda", address_line1="Once upon a time")]),
    ),
    "CRLF in a cell": (
        'family_name,given_name,address\r\nOrmsby,Tilda,"Once upon\r\na time"\r\n',
        Expected([person("Ormsby", "Tilda", address_line1="Once upon a time")]),
    ),
    "quotes and line ends": (
        'family_name,given_name,address\nOrmsby,Tilda,"ha\n""ha"" ha"\n',
        Expected([person("Ormsby", "Tilda", address_line1='ha "ha" ha')]),
    ),
    "plain, without a line end": ((HEADER + TILDA_LINE).strip(), Expected([TILDA])),
    "plain, CRLF": ((HEADER + TILDA_LINE + GUS_LINE).replace("\n", "\r\n"), BOTH),
    "letters of many scripts": (
        f"{HEADER}ʤ,Ǝ,,\n山田,花子,1984-03-15,female\n",
        Expected([person("ʤ", "Ǝ"), person("山田", "花子", "1984-03-15", sex="female")]),
    ),
    "no columns of a patient": ("a,b,c\n1,2,3\n", Expected(message=NO_HEADER)),
    "a hint of the separator": (
        "sep=;\n" + (HEADER + TILDA_LINE + GUS_LINE).replace(",", ";"),
        BOTH,
    ),
    "a hint of another separator": (
        "sep=,\n" + (HEADER + TILDA_LINE).replace(",", "\t"),
        Expected([TILDA]),
    ),
    "carets": ((HEADER + TILDA_LINE).replace(",", "^"), Expected([TILDA])),
    "blanks after the commas": (
        '"family_name", "given_name"\n"Ormsby", "Tilda"\n',
        Expected([person("Ormsby", "Tilda")]),
    ),
    "other quotes": (
        "'family_name','given_name'\n'Ormsby','Tilda'\n“Prewett”,“Gus”\n",
        Expected([person("Ormsby", "Tilda"), person("Prewett", "Gus")]),
    ),
    "a comma at the end of each row": (
        HEADER + (TILDA_LINE + GUS_LINE).replace("\n", ",\n"),
        BOTH,
    ),
    "line ends of old Macs": (
        (HEADER + TILDA_LINE).replace("\n", "\r"),
        Expected(message="line ends of old Macs"),
    ),
    # Encodings.
    "GBK": (
        f"{HEADER}欧阳,明月,1984-03-15,female\n诸葛,建国,1990-11-02,male\n".encode("gbk"),
        Expected(message="GB 18030, GBK (Chinese): say so (--encoding gb18030)"),
    ),
    "Shift-JIS": (
        f"{HEADER}佐々木,美咲,1984-03-15,female\n".encode("cp932"),
        Expected(message="Shift-JIS (Japanese): say so (--encoding cp932)"),
    ),
    "UTF-16 without a mark": (
        (HEADER + TILDA_LINE).encode("utf-16-le"),
        Expected(message="UTF-16 (little-endian): say so (--encoding utf-16-le)"),
    ),
    "UTF-16 with a mark": ((HEADER + TILDA_LINE).encode("utf-16"), Expected([TILDA])),
    # Lines that are no persons.
    "joined files with a mark": (
        f"\ufeff{HEADER}{TILDA_LINE}\ufeff{HEADER}{GUS_LINE}",
        Expected([TILDA, GUS], ["repeats the header"]),
    ),
    "a title above the header": (
        f"North Clinic - list,,,\nprinted 20-Nov-2026,,,\n{HEADER}{TILDA_LINE}",
        Expected([TILDA]),
    ),
    "what a database prints": (
        f"{HEADER}------,------,----------,---\n{TILDA_LINE}Total,1,,\n(1 row affected)\n",
        Expected([TILDA], ["describes the columns", "total or a remark", "describes"]),
    ),
    # Values.
    "formulas stay text": (
        'family_name,given_name,phone,city\n"=HYPERLINK(""http://x.example"",""O"")",Tilda,'
        '+1 617 555 0134,@SUM(1+1)\n-Prewett,Gus,"=1+1",-2+3\n',
        Expected(
            [
                {
                    "family_name": '=HYPERLINK("http://x.example","O")',
                    "given_name": "Tilda",
                    "phone": "+1 617 555 0134",
                    "city": "@SUM(1+1)",
                }
            ],
            ["phone: Enter a phone number"],
        ),
    ),
    "characters that nobody sees": (
        "family_name,given_name,date_of_birth,insurance\n"
        "Orms\u200bby,Til\u00adda,1984-03-15,INS\u200d-900001\n\u200b,Ida,1971-05-09,\n"
        ".,.,1962-07-12,\n?,?,1962-07-12,\n",
        Expected(
            [
                person("Ormsby", "Tilda", "1984-03-15", identifiers=["insurance|INS900001"]),
                {"given_name": "Ida", "date_of_birth": "1971-05-09"},
            ],
            [UNNAMED, UNNAMED],
        ),
    ),
    "words for nothing": (
        "family_name,given_name,middle_name,date_of_birth,email,phone,ssn\n"
        "Ormsby,Tilda,NULL,1984-03-15,NULL,NULL,NULL\nPrewett,Gus,\\N,unknown,-,\\N,N/A\n"
        "Quarry,Ida,(null),0000-00-00,?,0,none\nNull,Peter,,1971-05-09,,,\n",
        Expected(
            [
                person("Ormsby", "Tilda", "1984-03-15"),
                person("Prewett", "Gus"),
                person("Quarry", "Ida"),
                person("Null", "Peter", "1971-05-09"),
            ]
        ),
    ),
    "numbers that a spreadsheet shortened": (
        "family_name,given_name,phone,insurance\nOrmsby,Tilda,6.17555E+09,1.23457E+11\n"
        "Quarry,Ida,617 555 0133,00123456789\n",
        Expected(
            [person("Quarry", "Ida", phone="617 555 0133", identifiers=["insurance|00123456789"])],
            [f"phone: A spreadsheet {SHORTENED}", f"insurance: A spreadsheet {SHORTENED}"],
        ),
    ),
    "ISO codes and words of sex": (
        f"{HEADER}Ormsby,Tilda,1984-03-15,2\nSayer,Vera,1955-01-30,Woman\n"
        "Tibbet,Lou,1988-08-08,Nonbinary\nVossler,Ned,1993-06-21,Declined\n",
        Expected(
            [
                person("Sayer", "Vera", "1955-01-30", sex="female"),
                person("Tibbet", "Lou", "1988-08-08", sex="other"),
            ],
            [OTHER_CODES, "Choose one of female, male, other, unknown."],
        ),
    ),
    "Spanish codes of sex": (
        f"{HEADER}Ortega,Lucía,1984-03-15,M\nPrieto,Hugo,1990-11-02,H\n",
        Expected(reasons=[OTHER_CODES, OTHER_CODES]),
    ),
    "times beside days": (
        f"{HEADER}Ormsby,Tilda,1984-03-15 00:00:00,female\nPrewett,Gus,1990-11-02T00:00:00Z,male\n"
        "Quarry,Ida,19710509,\nRuskin,Abel,1962/07/12,\nSayer,Vera,15 maybe 1984,\n"
        "Tibbet,Lou,1988-08-08 14:30,\n",
        Expected(
            [
                TILDA,
                GUS,
                person("Quarry", "Ida", "1971-05-09"),
                person("Ruskin", "Abel", "1962-07-12"),
            ],
            ["no such date", "without a time"],
        ),
    ),
    "the month first, as one date proves": (
        f"{HEADER}Ormsby,Tilda,03/04/1984,\nPrewett,Gus,12/31/1990,\nQuarry,Ida,1/9/1971,\n",
        Expected(
            [
                person("Ormsby", "Tilda", "1984-03-04"),
                person("Prewett", "Gus", "1990-12-31"),
                person("Quarry", "Ida", "1971-01-09"),
            ]
        ),
    ),
    "the day first, as one date proves": (
        f"{HEADER}Ormsby,Tilda,03/04/1984,\nPrewett,Gus,31/12/1990,\n",
        Expected([person("Ormsby", "Tilda", "1984-04-03"), person("Prewett", "Gus", "1990-12-31")]),
    ),
    "short years first, as one date proves": (
        f"{HEADER}Ormsby,Tilda,84-03-15,\nPrewett,Gus,12-11-10,\n",
        Expected([person("Ormsby", "Tilda", "1984-03-15"), person("Prewett", "Gus", "2012-11-10")]),
    ),
    "dates of both orders": (
        f"{HEADER}Ormsby,Tilda,03/04/1984,\nPrewett,Gus,31/12/1990,\nQuarry,Ida,12/31/1971,\n",
        Expected(
            [person("Prewett", "Gus", "1990-12-31"), person("Quarry", "Ida", "1971-12-31")],
            ["dates of both orders"],
        ),
    ),
    # What a record says of itself.
    "dead, alive and archived": (
        "family_name,given_name,deceased,status,next_of_kin\n"
        "Ormsby,Tilda,no,active,Otto\nPrewett,Gus,yes,active,\nQuarry,Ida,2015-02-14,archived,\n"
        "Ruskin,Abel,,merged,\nSayer,Vera,,waiting,\n",
        Expected(
            [
                person("Ormsby", "Tilda"),
                person("Quarry", "Ida", deceased_on="2015-02-14", status="archived"),
                person("Sayer", "Vera"),
            ],
            ["deceased: The patient has died", "status: Another record has replaced this one"],
            left_out=1,
            ignored=["next_of_kin"],
        ),
    ),
}


@pytest.mark.parametrize(("content", "expected"), FILES.values(), ids=FILES.keys())
def test_a_file_comes_in_right_or_says_truly_why_not(outcome_of, content, expected):
    check(outcome_of(content), expected)


@pytest.mark.parametrize(
    ("encoding", "family", "given"),
    [("gbk", "欧阳", "明月"), ("cp932", "佐々木", "美咲"), ("utf-16-le", "Ormsby", "Tilda")],
)
def test_a_file_comes_in_right_in_the_encoding_that_is_said(outcome_of, encoding, family, given):
    content = f"{HEADER}{family},{given},1984-03-15,female\n".encode(encoding)
    outcome = outcome_of(content, "--encoding", encoding)
    assert outcome.people == [person(family, given, "1984-03-15", sex="female")]


@pytest.mark.parametrize(
    ("codes", "options"),
    [
        ("MH", ["--map", "sex:m=female", "--map", "sex:h=male"]),
        ("21", ["--map", "sex:2=female", "--map", "sex:1=male"]),
    ],
)
def test_codes_come_in_as_they_are_said(outcome_of, codes, options):
    lines = [f"Ormsby,Tilda,1984-03-15,{codes[0]}\n", f"Prewett,Gus,1990-11-02,{codes[1]}\n"]
    assert outcome_of(HEADER + "".join(lines), *options).people == [TILDA, GUS]
