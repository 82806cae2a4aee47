"""The SQL of this area: today's body of each function, one file each, loaded by the migrations."""

from pathlib import Path


def read_sql(name: str) -> str:
    """Returns the text of `<name>.sql` in this folder."""
    return (Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8")
