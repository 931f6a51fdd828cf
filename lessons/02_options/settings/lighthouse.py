"""The settings of settings_module.py: any Python value, and the environment for what differs.

Whoever can read the source can read this file, so no secret is ever written into it.
"""

import os
import secrets

database = {
    "host": os.environ.get("DATABASE_HOST", "localhost"),
    "port": int(os.environ.get("DATABASE_PORT", "5432")),
}
# region application
application = {
    # Lesson 04 signs cookies with it. Made up anew, it ends all sessions at each start.
    "cookie_secret": os.environ.get("COOKIE_SECRET") or secrets.token_hex(32),
    "login_url": "/login",
}
# endregion
