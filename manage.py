#!/usr/bin/env python
"""Runs Django's commands and the portal's own; `manage.py help` lists them."""

import os
import sys
from pathlib import Path

import environ
from django.core.management import execute_from_command_line

# `make run` writes the addresses and secrets of its servers there; variables of the shell win.
RUNNING = Path(__file__).resolve().parent / ".run" / "run.env"

if __name__ == "__main__":
    if RUNNING.exists():
        environ.Env.read_env(RUNNING)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    execute_from_command_line(sys.argv)
