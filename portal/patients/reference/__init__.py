"""Reference data: countries, kinds of identifiers, postal codes, ages and bar codes."""
