"""User accounts: registration, login, sessions, captchas, pictures."""
