"""The code is traded for a token as OAuth wants it, the token for a name, and the name is kept."""

from http.cookies import SimpleCookie
from urllib.parse import parse_qs

import tornado.httpserver
import tornado.httputil
import tornado.web
from tornado.testing import bind_unused_port

from course.exercise_case import ExerciseCase, Mismatch

NAME, CODE, TOKEN = "Zoë Õun", "the-code/+", "the-token"
TRADE = "TODO 1: self.oauth2_request(url, post_args={...}) sends a form and reads JSON"
HEADER = (
    'TODO 2: AsyncHTTPClient().fetch(url, headers={"Authorization": f"Bearer {token}"});\n'
    "oauth2_request(url, access_token=...) would put the token into the address"
)
KEEP = 'TODO 2: self.set_signed_cookie("user", name, httponly=True, samesite="Lax")'
ME = "TODO 3: a handler at /me that reads the signed cookie, which is bytes or None"


class ProviderHandler(tornado.web.RequestHandler):
    def prepare(self) -> None:
        self.settings["asked"].append(self.request)

    def post(self) -> None:
        self.write({"access_token": TOKEN, "token_type": "Bearer"})

    def get(self) -> None:
        if self.request.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise tornado.web.HTTPError(401)
        self.write({"sub": "1003", "name": NAME})


class Callback(ExerciseCase):
    def setUp(self) -> None:
        super().setUp()
        self.asked: list[tornado.httputil.HTTPServerRequest] = []
        app = tornado.web.Application([(".*", ProviderHandler)], asked=self.asked)
        self.provider = tornado.httpserver.HTTPServer(app)
        listener, port = bind_unused_port()
        self.provider.add_socket(listener)
        self._app.settings["provider"] = f"http://127.0.0.1:{port}"

    def tearDown(self) -> None:
        self.provider.stop()
        self.io_loop.run_sync(self.provider.close_all_connections)
        super().tearDown()

    def callback(self) -> str:
        """Come back from the provider; return the cookie that the app sets."""
        secret = self._app.settings["cookie_secret"]
        state = tornado.web.create_signed_value(secret, "state", "the-state").decode()
        answer = self.send(
            "GET",
            "/callback?code=the-code%2F%2B&state=the-state",
            headers={"Cookie": f"state={state}"},
        ).expect(status=302, headers={"Location": "/me"}, look=f"{TRADE}\n{HEADER}")
        morsel = SimpleCookie("; ".join(answer.headers.get_list("Set-Cookie"))).get("user")
        if morsel is None:
            raise Mismatch(
                sent=answer.sent,
                came="an answer that sets no cookie called user",
                expected="Set-Cookie: user=...",
                look=KEEP,
            )
        flags = (bool(morsel["httponly"]), morsel["samesite"])
        self.expect(flags, (True, "Lax"), sent="the cookie user: HttpOnly, SameSite", look=KEEP)
        return morsel.value

    def test_the_code_is_traded_with_all_that_belongs_to_it(self) -> None:
        self.callback()
        posted = [request for request in self.asked if request.method == "POST"]
        paths = [request.path for request in posted]
        self.expect(paths, ["/token"], sent="POST requests to the provider", look=TRADE)
        form = {name: values[0] for name, values in parse_qs(posted[0].body.decode()).items()}
        right = {"grant_type": "authorization_code", "code": CODE, **self.subject.CLIENT}
        right["redirect_uri"] = self.subject.CALLBACK
        self.expect(
            dict(sorted(form.items())),
            dict(sorted(right.items())),
            sent="POST /token of the provider",
            look=f"{TRADE}:\ngrant_type is 'authorization_code', code the one in the address",
        )

    def test_the_token_goes_into_a_header_not_into_the_address(self) -> None:
        self.callback()
        asked = [request.uri for request in self.asked if request.method == "GET"]
        self.expect(asked, ["/userinfo"], sent="GET requests to the provider", look=HEADER)

    def test_me_says_the_name_in_the_cookie(self) -> None:
        headers = {"Cookie": f"user={self.callback()}"}
        self.send("GET", "/me", headers=headers).expect(status=200, json={"name": NAME}, look=ME)

    def test_me_believes_no_cookie_that_is_not_signed(self) -> None:
        self.callback()
        for headers in ({}, {"Cookie": "user=Mallory"}):
            self.send("GET", "/me", headers=headers).expect(
                status=200, json={"name": None}, look=ME
            )
