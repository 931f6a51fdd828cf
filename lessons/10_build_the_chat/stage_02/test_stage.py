"""The tests of stage 2: accounts."""

from tornado.httpclient import HTTPClientError

from course.testing.chat_stage import PASSWORD, Person, StageCase


class AccountTest(StageCase):
    def test_registration_logs_in(self) -> None:
        ada = Person(self, "Ada")
        response = ada.register()
        self.assertEqual((response.code, response.headers.get("Location")), (303, "/"))
        cookie = response.headers["Set-Cookie"]
        self.assertIn("httponly", cookie.lower())
        self.assertIn("samesite=lax", cookie.lower())
        self.assertIn("Ada", ada.page())

    def test_the_page_is_for_users_only(self) -> None:
        response = self.fetch("/", follow_redirects=False)
        self.assertEqual(response.code, 302)
        self.assertRegex(response.headers["Location"], "^/(register|login)")

    def test_the_socket_is_for_users_only(self) -> None:
        with self.assertRaises(HTTPClientError) as refused:
            Person(self, "Ada").connect()
        self.assertEqual(refused.exception.code, 401)

    def test_a_wrong_registration_is_refused(self) -> None:
        taken = self.person("Ada").name
        for fields in (
            {"confirmation": "another password"},
            {"password": "short", "confirmation": "short"},
            {"name": taken.upper()},
            {"name": "a b"},
            {"nickname": "\u202eevil"},  # turns the direction of the text round
        ):
            person = Person(self, "Bob")
            response = person.register(**fields)
            self.assertEqual(response.code, 400, fields)
            self.assertIn('role="alert"', response.body.decode())
            self.assertNotIn("session", person.cookies)

    def test_an_account_is_there_after_a_restart(self) -> None:
        ada = self.person("Ada")
        self.assertIn("session", ada.cookies)
        self.restart()
        self.assertIn("Ada", ada.page())

    def test_neither_password_nor_token_is_in_the_file(self) -> None:
        ada = self.person("Ada")
        content = self.file.read_bytes()
        self.assertNotIn(PASSWORD.encode(), content)
        self.assertNotIn(ada.cookies["session"].encode(), content)
        self.assertIn(b"$argon2id$", content)
