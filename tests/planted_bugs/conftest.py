"""The bugs are planted in the simulated system."""

from tests.simulator.conftest import world

__all__ = ["world"]
