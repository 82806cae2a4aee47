"""A drawn file, and what is known of it."""

from dataclasses import dataclass, field

MARK = "Qanary"  # In the values of people, so that none comes into a log without being seen.


@dataclass(frozen=True)
class DrawnFile:
    """The bytes of a file.

    `rows` is how many rows it has, None if it is too odd to say. `names` has the family name that
    stands in a row, by the row's number.
    """

    content: bytes
    rows: int | None = None
    names: dict[int, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        shown = self.content if len(self.content) < 3000 else self.content[:3000] + b"..."
        return f"DrawnFile({shown!r}, rows={self.rows}, names={self.names})"
