"""Names of the cookies.

Browsers do not separate cookies by port (RFC 6265 section 8.5), so two chats on one host would
overwrite each other's. Each name therefore ends in a digest of the secret that signs the cookies:
processes that share a secret share the names, other chats have names of their own.
"""

import functools
import hashlib
import hmac

DEVICE = "known"
"""The device cookie (docs/glossary.md). Browsers have it under this name since earlier versions."""

SUFFIX_LENGTH = 8
"""Hexadecimal digits of the digest in a name: 32 bits, which say nothing about the secret."""


def cookie_name(name: str, secret: str, *, secure: bool) -> str:
    """Return the name under which a cookie is set.

    Args:
        name: session, browser, known or xsrf.
        secret: the secret that signs the cookies.
        secure: the chat runs behind TLS; the prefix `__Host-` then ties the cookie to this host
            (RFC 6265bis section 4.1.3.2).
    """
    return f"{old_cookie_name(name, secure=secure)}-{_suffix(secret)}"


def old_cookie_name(name: str, *, secure: bool) -> str:
    """Return the name that earlier versions gave a cookie, for sessions that are still open.

    The last of these cookies expires 365 days after the upgrade (`known`).
    """
    return f"__Host-{name}" if secure else name


@functools.cache
def _suffix(secret: str) -> str:
    return hmac.digest(secret.encode(), b"cookie names", hashlib.sha256).hex()[:SUFFIX_LENGTH]
