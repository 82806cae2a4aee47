"""How an import runs: batches of rows, the dry run, the patients, the progress store, and undo."""
