"""Imports in the browser, step by step: upload, columns, trial, import; and exports."""
