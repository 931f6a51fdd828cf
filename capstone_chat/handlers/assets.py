"""Versioned URLs of the page's JavaScript modules, and the Content-Security-Policy.

The URL of a module contains a hash of its content, so browsers cache it without revalidation. The
modules import each other by their plain URLs; the import map of the page maps each plain URL to the
versioned one. The page also has a `modulepreload` link for each module, so a browser requests all
modules at once and does not wait to find them in the import statements. The import map is an inline
script, so the policy contains its hash.
"""

import base64
import functools
import hashlib
import json
from pathlib import Path

import tornado.web

CSP_TEMPLATE = (
    "default-src 'self'; script-src 'self' 'sha256-{}'; img-src 'self' data: blob:;"
    " object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


@functools.cache
def versioned_modules(static_path: str) -> dict[str, str]:
    """Return a mapping from the plain URL of each module to its URL with a version.

    Args:
        static_path: the folder of the static files, which does not change while the chat runs.
    """
    folder = Path(static_path)
    version = tornado.web.StaticFileHandler.get_version
    return {
        f"/static/{path}": f"/static/{path}?v={version({'static_path': static_path}, path)}"
        for path in sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*.js"))
    }


@functools.cache
def import_map(static_path: str) -> str:
    """Return the import map of the page, as JSON."""
    return json.dumps({"imports": versioned_modules(static_path)}, separators=(",", ":"))


@functools.cache
def content_security_policy(static_path: str) -> str:
    """Return the Content-Security-Policy, which allows no inline script but the import map."""
    digest = hashlib.sha256(import_map(static_path).encode()).digest()
    return CSP_TEMPLATE.format(base64.b64encode(digest).decode())
