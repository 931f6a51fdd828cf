"""User accounts: registration, login, sessions, pictures."""
