"""The page's scripts: each may be kept for ever, because its address changes with what is in it.

A page's modules import each other by plain names. An import map adds the version of each file to
them, and `modules` lets a browser ask for all at once instead of one floor after the other. The map
stands in the page itself, so the policy names its hash.
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
    """Return the versioned address of each module by its plain one."""
    folder = Path(static_path)
    version = tornado.web.StaticFileHandler.get_version
    return {
        f"/static/{path}": f"/static/{path}?v={version({'static_path': static_path}, path)}"
        for path in sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*.js"))
    }


@functools.cache
def import_map(static_path: str) -> str:
    """Return the modules as an import map."""
    return json.dumps({"imports": versioned_modules(static_path)}, separators=(",", ":"))


@functools.cache
def content_security_policy(static_path: str) -> str:
    """Return the Content-Security-Policy of every answer: no inline script but the import map."""
    digest = hashlib.sha256(import_map(static_path).encode()).digest()
    return CSP_TEMPLATE.format(base64.b64encode(digest).decode())
