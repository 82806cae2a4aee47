"""Fault runs: the whole system under load while parts are killed, frozen and cut off."""
