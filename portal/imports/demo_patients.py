"""Made-up people to try the portal with; their phone numbers are reserved for fiction."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

# Given name, family name, sex, language; in the alphabets that a clinic in a large town meets.
PEOPLE = [
    ("Amelia", "Hartley", "female", "en"),
    ("Oliver", "Whitcombe", "male", "en"),
    ("Grace", "Okafor", "female", "en"),
    ("Noah", "Lindqvist", "male", "sv"),
    ("Isla", "MacGregor", "female", "en"),
    ("Jack", "O’Donoghue", "male", "en"),
    ("Chloé", "Lefèvre", "female", "fr"),
    ("Théo", "Garçon", "male", "fr"),
    ("Zoë", "van der Meer", "female", "nl"),
    ("Jürgen", "Müller", "male", "de"),
    ("Käthe", "Großmann", "female", "de"),
    ("Søren", "Kjærgaard", "male", "da"),
    ("Åsa", "Öberg", "female", "sv"),
    ("Łukasz", "Wiśniewski", "male", "pl"),
    ("Żaneta", "Dąbrowska", "female", "pl"),
    ("Šimon", "Dvořák", "male", "cs"),
    ("Eliška", "Nováková", "female", "cs"),
    ("Ödön", "Kovács", "male", "hu"),
    ("María José", "Núñez Ibáñez", "female", "es"),
    ("Íñigo", "Peña", "male", "es"),
    ("João", "Conceição", "male", "pt"),
    ("Inês", "Magalhães", "female", "pt-BR"),
    ("Thị Hương", "Nguyễn", "female", "vi"),
    ("Văn Đức", "Trần", "male", "vi"),
    ("Ayşe", "Yıldırım", "female", "tr"),
    ("İbrahim", "Çağlar", "male", "tr"),
    ("Siobhán", "Ní Bhriain", "female", "ga"),
    ("Анна", "Кузнецова", "female", "ru"),
    ("Дмитрий", "Соловьёв", "male", "ru"),
    ("Олена", "Шевчук", "female", "uk"),
    ("Тарас", "Ґалаґан", "male", "uk"),
    ("Милица", "Јовановић", "female", "sr"),
    ("Георги", "Димитров", "male", "bg"),
    ("Ελένη", "Παπαδοπούλου", "female", "el"),
    ("Γιώργος", "Οικονόμου", "male", "el"),
    ("ליאור", "בן־דוד", "male", "he"),
    ("נועה", "פרידמן", "female", "he"),
    ("فاطمة", "الزهراني", "female", "ar"),
    ("يوسف", "الحسيني", "male", "ar"),
    ("مریم", "احمدی", "female", "fa"),
    ("علی", "رضایی", "male", "fa"),
    ("伟", "王", "male", "zh"),
    ("秀英", "李", "female", "zh"),
    ("雅婷", "陳", "female", "zh-TW"),
    ("さくら", "佐藤", "female", "ja"),
    ("健太", "鈴木", "male", "ja"),
    ("ケン", "タナカ", "male", "ja"),
    ("서연", "김", "female", "ko"),
    ("민준", "박", "male", "ko"),
    ("प्रिया", "शर्मा", "female", "hi"),
    ("अर्जुन", "पटेल", "male", "hi"),
    ("தமிழ்செல்வி", "குமார்", "female", "ta"),
    ("সুমাইয়া", "রহমান", "female", "bn"),
    ("สมชาย", "ใจดี", "male", "th"),
    ("ნინო", "ბერიძე", "female", "ka"),
    ("Արամ", "Պետրոսյան", "male", "hy"),
    ("Aroha", "Ngata", "female", "mi"),
    ("Kwame", "Mensah", "male", "en"),
    ("Wanjikũ", "Kamau", "female", "sw"),
    ("Robin", "Ashby", "other", "en"),
    ("Alex", "Ferreira", "unknown", "pt"),
    ("Unnamed", "Newborn", "unknown", ""),
    ("Joanna", "Smith", "female", "en"),
    ("John", "Smith", "male", "en"),
    ("Joseph", "Smith", "male", "en"),
]
# People who are registered a second time, and how the second record differs.
DUPLICATES: list[tuple[tuple[str, str], dict[str, str]]] = [
    (("Joanna", "Smith"), {"family_name": "Smyth"}),
    (("Jürgen", "Müller"), {"family_name": "Mueller", "phone": ""}),
    (("Amelia", "Hartley"), {"given_name": "Amelia Jane", "address_line1": "12 Mill Lane"}),
]
PLACES = [
    ("Harbour Street", "Boston", "Massachusetts", "02110", "US", "(617) 555-01{:02}"),
    ("Orchard Avenue", "Portland", "Oregon", "97205", "US", "(503) 555-01{:02}"),
    ("Mission Row", "San Francisco", "California", "94110", "US", "(415) 555-01{:02}"),
    ("Lake Shore Road", "Chicago", "Illinois", "60611", "US", "(312) 555-01{:02}"),
    ("Canal Place", "New Orleans", "Louisiana", "70130", "US", "(504) 555-01{:02}"),
]
SYSTEM = "urn:patient-portal:demo"
DAYS = 45  # Before today, over which the people were registered.


def demo_patients(today: date) -> Iterator[dict[str, Any]]:
    """Yields raw details of each person, the same ones on every machine."""
    people = {}
    for details in _people(today):
        people[details["given_name"], details["family_name"]] = details
    yield from people.values()
    for number, (name, differences) in enumerate(DUPLICATES, start=len(people) + 1):
        second = {
            "registered_on": today - timedelta(days=1),
            "identifiers": [{"system": SYSTEM, "value": f"{number:04}"}],
        }
        yield people[name] | differences | second


def _people(today: date) -> Iterator[dict[str, Any]]:
    dice = random.Random(2020)  # noqa: S311 - the same people every time, no secret
    for number, (given, family, sex, language) in enumerate(PEOPLE, start=1):
        street, city, region, postal_code, country, phone = PLACES[number % len(PLACES)]
        knows_year_only = number % 29 == 0
        is_newborn = given == "Unnamed"
        age_days = 2 if is_newborn else dice.randrange(200, 97 * 365)
        born = today - timedelta(days=age_days)
        yield {
            "given_name": given,
            "family_name": family,
            "sex": sex,
            "language": language,
            "date_of_birth": born.replace(month=1, day=1) if knows_year_only else born,
            "date_of_birth_precision": "year" if knows_year_only else "day",
            "email": f"person{number}@example.com" if number % 3 else "",
            "phone": phone.format(number),
            "address_line1": f"{dice.randrange(1, 400)} {street}",
            "city": city,
            "region": region,
            "postal_code": postal_code,
            "country": country,
            "registered_on": today - timedelta(days=1 if is_newborn else dice.randrange(DAYS)),
            "identifiers": [{"system": SYSTEM, "value": f"{number:04}"}],
        }
