"""The kinds of identifiers in the words of the desk."""

SYSTEMS = {
    "ssn": "Social security",
    "driver": "Driver's licence",
    "passport": "Passport",
    "insurance": "Insurance",
    "mrn-other": "MRN elsewhere",
}


def system_name(system: str) -> str:
    """The words for our short codes; another system's address by its last part."""
    return SYSTEMS.get(system) or system.rstrip("/").rsplit("/", 1)[-1].rsplit(":", 1)[-1]
