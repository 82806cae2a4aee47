"""What a run is told: `python -m tests.bench ROWS=50000 ONLY=get,page SECONDS=1`, or by make."""

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Options:
    rows: int = 1_000_000  # Patients.
    only: tuple[str, ...] = ()  # Beginnings of the names of rows; empty: all.
    seconds: float = 3.0  # Of each measurement.
    rounds: int = 3  # How often the systems take turns; the median counts.
    connections: tuple[int, ...] = (4, 16)
    systems: tuple[str, ...] = ("portal", "plain", "alone")
    write: bool = False  # Into docs/performance.md and its chart.
    is_quick: bool = False

    @classmethod
    def read(cls, arguments: Sequence[str]) -> "Options":
        """Returns the options of arguments such as `ROWS=50000`.

        QUICK=1 stands for fewer patients and shorter measurements. Raises ValueError with the
        names that there are.
        """
        given = dict(argument.split("=", 1) for argument in arguments)
        options = QUICK if given.pop("QUICK", "") else cls()
        names = {name.upper(): name for name in _READ}
        if unknown := given.keys() - names.keys():
            raise ValueError(f"{', '.join(unknown)}: there are {', '.join(names)} and QUICK.")
        for name, text in given.items():
            if text:
                value = _READ[names[name]](text)
                options = replace(options, **{names[name]: value})
        return options

    def wants(self, name: str) -> bool:
        """Tells whether the row is wanted: `search` stands for all whose name begins so."""
        return not self.only or any(name.startswith(word) for word in self.only)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


_READ = {
    "rows": int,
    "only": _words,
    "seconds": float,
    "rounds": int,
    "connections": lambda text: tuple(map(int, _words(text))),
    "systems": _words,
    "write": lambda text: text != "0",
}
QUICK = Options(rows=50_000, seconds=0.4, connections=(16,), is_quick=True)
