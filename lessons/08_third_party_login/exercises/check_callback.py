"""The code is exchanged for a token, the token for a name, and the name is kept in a cookie."""

from http.cookies import Morsel, SimpleCookie
from urllib.parse import parse_qs, urljoin

import tornado.httpserver
import tornado.httputil
import tornado.web
from tornado.testing import bind_unused_port

from course.testing.http import ExerciseCase, Mismatch

NAME, CODE, TOKEN = "Zoë Õun", "the-code/+", "the-token"
TRADE = "self.oauth2_request(url, post_args={...}) sends a form by POST and returns the JSON."
FORM = (
    "The form needs all five: grant_type is 'authorization_code', code is the one in the address, "
    "redirect_uri is CALLBACK, and **CLIENT adds client_id and client_secret."
)
HEADER = (
    'AsyncHTTPClient().fetch(url, headers={"Authorization": f"Bearer {token}"}). The mixin\'s\n'
    "oauth2_request(url, access_token=...) puts the token into the address, where logs keep it."
)
AFTER = "The provider was asked as it should be. The error comes when the name is kept."
GO = 'At the end self.redirect("/me"): the code must not stay in the address bar.'
KEEP = 'self.set_signed_cookie("user", name, httponly=True, samesite="Lax")'
UNSIGNED = (
    "Anybody can write a cookie that is not signed: set_signed_cookie(), get_signed_cookie()."
)
SERVER = "The access token stays on the server: the browser needs only the name."
ROUTE = 'make_app(): add the route ("/me", MeHandler).'
ME = "MeHandler: get_signed_cookie(\"user\") returns bytes: decode() them. Write {'name': name}."
NOBODY = "MeHandler: get_signed_cookie() returns None without a valid cookie: the name is None."


class ProviderHandler(tornado.web.RequestHandler):
    def prepare(self) -> None:
        self.settings["asked"].append(self.request)

    def post(self) -> None:
        self.write({"access_token": TOKEN, "token_type": "Bearer"})

    def get(self) -> None:
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        if (scheme.lower(), token) != ("bearer", TOKEN):
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

    def signed(self, secret: object, name: str, value: str) -> str:
        return tornado.web.create_signed_value(secret, name, value).decode()  # type: ignore[arg-type]

    def callback(self) -> dict[str, "Morsel[str]"]:
        """Come back from the provider; return the cookies that the app sets."""
        state = self.signed(self._app.settings["cookie_secret"], "state", "the-state")
        answer = self.send(
            "GET",
            "/callback?code=the-code%2F%2B&state=the-state",
            headers={"Cookie": f"state={state}"},
        )
        self.sent = answer.sent
        self.expect_asked()
        location = urljoin("/callback", answer.headers.get("Location", ""))
        advice = AFTER if answer.status == 500 else GO
        if answer.status not in (302, 303) or location != "/me":
            answer.expect(status=302, headers={"Location": "/me"}, advice=advice)
        return dict(SimpleCookie("; ".join(answer.headers.get_list("Set-Cookie"))))

    def expect_asked(self) -> None:
        """Raise `Mismatch` unless the provider was asked for a token, then for the name."""
        asked = [(request.method, request.path) for request in self.asked]
        if asked[:1] != [("POST", "/token")]:
            self.expect(
                asked[:1], [("POST", "/token")], sent=self.to_provider("first"), advice=TRADE
            )
        form = {name: values[0] for name, values in parse_qs(self.asked[0].body.decode()).items()}
        right = {"grant_type": "authorization_code", "code": CODE, **self.subject.CLIENT}
        right["redirect_uri"] = self.subject.CALLBACK
        for name, value in right.items():  # more is allowed, such as a code_verifier
            sent = self.to_provider(f"{name} in the form that came to /token")
            self.expect(form.get(name), value, sent=sent, advice=FORM)
        uris = [(request.method, request.uri) for request in self.asked[1:]]
        sent = self.to_provider("those after /token")
        self.expect(uris, [("GET", "/userinfo")], sent=sent, advice=HEADER)
        authorization = self.asked[1].headers.get("Authorization", "")
        scheme, _, token = authorization.partition(" ")
        sent = self.to_provider("Authorization at /userinfo")
        came_token = (scheme.capitalize(), token)
        self.expect(came_token, ("Bearer", TOKEN), sent=sent, advice=HEADER)

    def to_provider(self, what: str) -> str:
        return f"{self.sent}\nrequests to the provider: {what}"

    def test_the_code_is_exchanged_for_a_token_and_the_token_for_a_name(self) -> None:
        self.callback()

    def test_the_name_is_kept_in_a_signed_cookie(self) -> None:
        cookies = self.callback()
        morsel = cookies.get("user")
        if morsel is None:
            raise Mismatch(
                sent=self.sent,
                received="no cookie named user",
                expected="Set-Cookie: user=",
                advice=KEEP,
            )
        secret = self._app.settings["cookie_secret"]
        if tornado.web.decode_signed_value(secret, "user", morsel.value) is None:
            raise Mismatch(
                sent=f"{self.sent}\nthe cookie named user",
                received=morsel.value,
                expected="a signed value",
                advice=UNSIGNED,
            )
        flags = (bool(morsel["httponly"]), morsel["samesite"].capitalize())
        sent = f"{self.sent}\nthe cookie named user: HttpOnly, SameSite"
        self.expect(flags, (True, "Lax"), sent=sent, advice=KEEP)
        for name, each in cookies.items():
            value = tornado.web.decode_signed_value(secret, name, each.value) or b""
            if TOKEN in each.value or TOKEN.encode() in value:
                raise Mismatch(
                    sent=self.sent,
                    received=f"a cookie named {name} that holds the access token",
                    expected="no such cookie",
                    advice=SERVER,
                )

    def test_me_returns_the_name_in_the_cookie(self) -> None:
        cookies = "; ".join(f"{name}={each.value}" for name, each in self.callback().items())
        answer = self.send("GET", "/me", headers={"Cookie": cookies})
        advice = ROUTE if answer.status == 404 else ME
        answer.expect(status=200, json={"name": NAME}, advice=advice)

    def test_me_accepts_only_a_cookie_that_this_app_has_signed(self) -> None:
        forged = self.signed("the secret of somebody else", "user", "Mallory")
        for headers in ({}, {"Cookie": "user=Mallory"}, {"Cookie": f"user={forged}"}):
            answer = self.send("GET", "/me", headers=headers)
            if answer.status == 200 and answer.text == "null":
                continue
            advice = UNSIGNED if "Mallory" in answer.text else NOBODY
            answer.expect(status=200, json={"name": None}, advice=advice)
