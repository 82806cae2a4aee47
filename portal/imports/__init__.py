"""Imports: files that become patients, and patients that become files."""
