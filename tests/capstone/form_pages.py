"""What an answer with a form shows."""

import re
from http.cookies import Morsel, SimpleCookie

import tornado.httpclient
import tornado.testing
import tornado.web

from tests.support.api_session import attributes

Response = tornado.httpclient.HTTPResponse


def errors(response: Response) -> dict[str, str]:
    """The errors that a page shows, by the field that they stand beside."""
    found = re.findall(
        r'<p class="error" id="(\w+)-error" ([^>]*)>([^<]*)</p>', response.body.decode()
    )
    return {field: text for field, hidden, text in found if "hidden" not in hidden}


def fields(response: Response) -> dict[str, str]:
    """What the fields of a page's form hold."""
    inputs = map(attributes, re.findall(r"<input\b[^>]*>", response.body.decode()))
    return {field["name"]: field.get("value", "") for field in inputs}


def set_cookies(response: Response) -> dict[str, Morsel[str]]:
    return {
        name: morsel
        for line in response.headers.get_list("Set-Cookie")
        for name, morsel in SimpleCookie(line).items()
    }
