"""Names of the cookies.

Browsers do not separate cookies by port (RFC 6265, section 8.5), so two chats on one host would
overwrite each other's cookies. Each name therefore ends in a digest of the secret that signs the
cookies: processes with the same secret use the same names, other chats use other names.
"""

import functools
import hashlib
import hmac

DEVICE = "known"
"""Short name of the device cookie. It is stored in browsers, so it must not change."""

SUFFIX_LENGTH = 8
"""Number of hexadecimal digits of the digest in a name: 32 bits, which do not reveal the secret."""


def cookie_name(name: str, secret: str, *, secure: bool) -> str:
    """Return the full name of a cookie.

    Args:
        name: session, browser, known or xsrf.
        secret: the secret that signs the cookies.
        secure: whether the chat runs behind TLS. The prefix `__Host-` then binds the cookie to this
            host (RFC 6265bis, section 4.1.3.2).
    """
    return f"{old_cookie_name(name, secure=secure)}-{_suffix(secret)}"


def old_cookie_name(name: str, *, secure: bool) -> str:
    """Return the name of a cookie in earlier versions, which browsers may still have.

    The device cookie has the longest lifetime: it expires 365 days after the upgrade.

    Args:
        name: session, browser, known or xsrf.
        secure: whether the chat runs behind TLS.
    """
    return f"__Host-{name}" if secure else name


@functools.cache
def _suffix(secret: str) -> str:
    return hmac.digest(secret.encode(), b"cookie names", hashlib.sha256).hex()[:SUFFIX_LENGTH]
