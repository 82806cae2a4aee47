"""The pages of sign-in, of the session's end, and of a user's own account."""
