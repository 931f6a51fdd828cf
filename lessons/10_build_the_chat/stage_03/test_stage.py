"""The tests of stage 3: login, logout, captchas."""

import base64
import json
import re
import time

from course.testing.chat_stage import PASSWORD, Person, StageCase


class LoginTest(StageCase):
    def test_login_with_the_password_only(self) -> None:
        ada = self.person("Ada")
        other_browser = Person(self, "Ada")
        other_browser.name = ada.name.upper()  # capital letters make no difference
        wrong = other_browser.login(password=PASSWORD.upper())
        self.assertEqual(wrong.code, 400)
        self.assertNotIn("session", other_browser.cookies)
        self.assertEqual(other_browser.login().code, 303)
        self.assertIn("Ada", other_browser.page())
        self.restart()
        self.assertEqual(other_browser.login().code, 303)

    def test_an_unknown_name_is_answered_like_a_wrong_password(self) -> None:
        ada = self.person("Ada")
        texts = []
        for name in (ada.name, "nobody"):
            response = Person(self, "Eve").login(name=name, password=PASSWORD.upper())
            self.assertEqual(response.code, 400)
            texts.append(response.body.decode().partition('role="alert">')[2].partition("<")[0])
        self.assertEqual(texts[0], texts[1])
        self.assertTrue(texts[0])

    def test_logout_ends_the_session_and_its_connections(self) -> None:
        ada = self.person("Ada")
        socket, copied = ada.connect(), Person(self, "Ada")
        copied.cookies = dict(ada.cookies)
        ada.request("POST", "/logout", body=b"")
        socket.expect_close(3500)
        self.assertEqual(copied.request("GET", "/").code, 302)

    def test_a_name_can_be_checked_before(self) -> None:
        taken = self.person("Ada").name
        for name, available in ((taken, False), ("a b", False), ("free.name", True)):
            response = Person(self, "Bob").request(
                "GET", f"/api/names?name={name.replace(' ', '+')}"
            )
            self.assertEqual(json.loads(response.body)["available"], available, name)


class CaptchaTest(StageCase):
    def captcha_id(self, form: str) -> str:
        page = self.fetch(f"/{form}").body.decode()
        found = re.search(r'name="captcha_id" value="([^"]+)"', page)
        assert found, f"/{form} has no captcha"
        return found[1]

    def test_both_forms_have_a_picture(self) -> None:
        for form in ("register", "login"):
            response = self.fetch(f"/{form}")
            page = response.body.decode()
            answer = self.captcha_answer(self.captcha_id(form))
            self.assertNotIn(answer, re.sub(r'"data:[^"]*"', "", page))
            picture = re.search(r'src="data:image/png;base64,([^"]+)"', page)
            assert picture
            self.assertTrue(base64.b64decode(picture[1]).startswith(b"\x89PNG"))
            self.assertEqual(response.headers["Cache-Control"], "no-store")

    def test_each_form_has_its_own_captcha(self) -> None:
        self.assertNotEqual(self.captcha_id("login"), self.captcha_id("login"))

    def test_a_wrong_answer_is_refused(self) -> None:
        for answer in ("", "WRONG"):
            ada = Person(self, "Ada")
            self.assertEqual(ada.register(captcha=answer).code, 400)
            self.assertEqual(ada.request("GET", "/").code, 302)

    def test_login_needs_the_captcha_too(self) -> None:
        ada = self.person("Ada")
        self.assertEqual(ada.login(captcha="WRONG").code, 400)
        self.assertEqual(ada.login().code, 303)

    def test_small_letters_are_accepted(self) -> None:
        captcha_id = self.captcha_id("register")
        answer = self.captcha_answer(captcha_id).lower()
        response = Person(self, "Ada").register(captcha_id=captcha_id, captcha=answer)
        self.assertEqual(response.code, 303)

    def test_a_captcha_is_used_once_even_when_the_answer_was_wrong(self) -> None:
        captcha_id = self.captcha_id("register")
        answer = self.captcha_answer(captcha_id)
        ada = Person(self, "Ada")
        for given in ("WRONG", answer):
            self.assertEqual(ada.register(captcha_id=captcha_id, captcha=given).code, 400, given)

    def test_a_captcha_is_for_one_form(self) -> None:
        captcha_id = self.captcha_id("login")
        answer = self.captcha_answer(captcha_id)
        response = Person(self, "Ada").register(captcha_id=captcha_id, captcha=answer)
        self.assertEqual(response.code, 400)

    def test_a_captcha_expires(self) -> None:
        captcha_id = self.captcha_id("register")
        answer = self.captcha_answer(captcha_id)
        with self._app.settings["database"].connection as connection:
            connection.execute("UPDATE captchas SET expires = ?", (time.time() - 1,))
        response = Person(self, "Ada").register(captcha_id=captcha_id, captcha=answer)
        self.assertEqual(response.code, 400)
