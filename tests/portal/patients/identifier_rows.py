"""What a browser sends of the rows of identifiers in the form of a patient."""


def identifier_rows(*rows: dict[str, str]) -> dict[str, str]:
    """Returns the inputs of these rows, as a page without stored identifiers sends them."""
    sent = {"identifiers-TOTAL_FORMS": str(len(rows)), "identifiers-INITIAL_FORMS": "0"}
    for number, row in enumerate(rows):
        sent |= {f"identifiers-{number}-{name}": text for name, text in row.items()}
    return sent


NO_ROWS = identifier_rows()
