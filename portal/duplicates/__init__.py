"""Duplicates: pairs of records that may be one person, and two records that become one."""
