"""The settings of settings_module.py: any Python value; secrets come from the environment.

Everybody who can read the source can read this file, so it contains no secret.
"""

import os
import secrets

database = {
    "host": os.environ.get("DATABASE_HOST", "localhost"),
    "port": int(os.environ.get("DATABASE_PORT", "5432")),
}
# region application
application = {
    # Lesson 04 signs cookies with it. A new random secret ends all sessions at each start.
    "cookie_secret": os.environ.get("COOKIE_SECRET") or secrets.token_hex(32),
    "login_url": "/login",
}
# endregion
