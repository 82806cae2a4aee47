"""The jars of Apache Kafka, downloaded once by Maven and shared by every clone on this machine."""

import os
import shutil
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from embedded import programs

POM = Path(__file__).resolve().parent.parent / "docker" / "kafka" / "pom.xml"


def kafka_jars() -> Path:
    """Returns the folder with the jars of the version in docker/kafka/pom.xml.

    Raises RuntimeError when Maven is missing or cannot download them.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "patient-portal"
    jars = cache / f"kafka-{_version()}"
    if not jars.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        _download(jars)
    return jars


def _version() -> str:
    return ElementTree.parse(POM).findtext("{*}version", "")  # noqa: S314 - our own file


def _download(jars: Path) -> None:
    """Downloads the jars. The folder gets its name only when everything is in it."""
    maven = shutil.which("mvn")
    if maven is None:
        raise RuntimeError(
            "KAFKA=apache needs Maven (Debian: apt-get install maven) to bring the jars of Kafka."
        )
    new = Path(tempfile.mkdtemp(prefix=f"{jars.name}.", dir=jars.parent))
    try:
        programs.run(
            [maven, "-B", "-q", "-f", POM, "package", f"-Djars={new}"],
            what="Bringing the jars of Kafka",
        )
        new.rename(jars)
    except OSError:
        if not jars.is_dir():  # Otherwise another run was quicker, and its jars are as good.
            raise
    finally:
        shutil.rmtree(new, ignore_errors=True)


if __name__ == "__main__":
    print(kafka_jars())
