"""Accounts: users, roles, sign-in, tokens and the rule that each route carries."""
