"""Patients: who they are, what happened to them, and who looked."""
