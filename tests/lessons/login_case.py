"""Cases for logins: the lesson's provider or a broken one, and a browser that goes through them."""

import contextlib
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import tornado.web
from tornado.httpclient import HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port

from tests.lessons.cookie_case import CookieClientCase
from tests.support.lesson_case import import_script

LESSON = "08_third_party_login"
SECRET = "a test's own"

provider_script = import_script(LESSON, "provider")
Client, Provider = provider_script.Client, provider_script.Provider


def read_signed(name: str, value: str) -> Any:
    """What a cookie of the lesson holds: JSON, signed with `SECRET`."""
    content = tornado.web.decode_signed_value(SECRET, name, value)
    assert content is not None
    return json.loads(content)


def query_of(address: str) -> dict[str, str]:
    """The query of an address, in which each name stands once."""
    return {name: value for name, [value] in parse_qs(urlsplit(address).query).items()}


class BrokenHandler(tornado.web.RequestHandler):
    """Answers as the test says: `broken` has a status and a body for each path."""

    def check_xsrf_cookie(self) -> None: ...

    def get(self) -> None:
        self.settings["asked"].append(self.request)
        status, body = self.settings["broken"][self.request.path]
        self.set_status(status)
        self.write(body)

    post = get


class LoginFlowHTTPTestCase(CookieClientCase):
    """`provider` is the lesson's, in which the app of the test is registered as `client`.

    `asked` is what it was asked: path and query of each request.
    """

    callback = "/callback"

    def setUp(self) -> None:
        self.servers: list[HTTPServer] = []
        super().setUp()

    def tearDown(self) -> None:
        for server in self.servers:
            server.stop()
            self.io_loop.run_sync(server.close_all_connections)
        super().tearDown()

    def start_provider(self) -> str:
        """Serve a provider beside the app; return its address. For get_app()."""
        self.client = Client("course", "the app's secret", self.get_url(self.callback))
        self.asked: list[str] = []
        socket, port = bind_unused_port()
        self.provider = Provider(f"http://127.0.0.1:{port}", self.client)
        app = provider_script.make_app(self.provider)
        app.settings["log_function"] = lambda handler: self.asked.append(handler.request.uri)
        self.add_server(app, socket)
        return str(self.provider.issuer)

    def start_broken(self, **answers: tuple[int, Any]) -> str:
        """Serve answers, such as token=(500, "no"), in place of a provider; return its address."""
        self.broken_asked: list[Any] = []
        broken = {f"/{path}": answer for path, answer in answers.items()}
        socket, port = bind_unused_port()
        app = tornado.web.Application(
            [(".*", BrokenHandler)], broken=broken, asked=self.broken_asked
        )
        self.add_server(app, socket)
        return f"http://127.0.0.1:{port}"

    def add_server(self, app: tornado.web.Application, socket: Any) -> None:
        server = HTTPServer(app)
        server.add_sockets([socket])
        self.servers.append(server)

    def asked_for(self, path: str) -> int:
        """How often the provider was asked for a path."""
        return sum(urlsplit(uri).path == path for uri in self.asked)

    def approve(self, address: str, user: str = "1001") -> HTTPResponse:
        """Open the provider's page and press a button; return the redirect back to the app."""
        page = self.get(address)
        assert page.code == 200, page.body
        token = re.search(r'name="_xsrf" value="([^"]+)"', page.body.decode())
        assert token
        return self.post(address, f"_xsrf={token[1]}&user={user}")

    def start_login(self, path: str = "/login") -> str:
        """Log in up to the redirect to the provider; return where it leads."""
        response = self.get(path)
        assert response.code == 302, response.body
        return str(response.headers["Location"])

    def complete_login(self, user: str = "1001", path: str = "/login") -> HTTPResponse:
        """The whole login; return the app's answer to the callback."""
        return self.get(self.approve(self.start_login(path), user).headers["Location"])

    @contextlib.contextmanager
    def another_browser(self) -> Iterator[None]:
        """Inside, requests come from a browser with cookies of its own."""
        mine, self.jar = self.jar, {}
        yield
        self.jar = mine
