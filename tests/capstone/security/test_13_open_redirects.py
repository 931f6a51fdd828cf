"""After login one goes to a path of this site."""

from urllib.parse import quote, urlencode

import tornado.httpclient
import tornado.testing
import tornado.web

from capstone_chat.handlers.auth import safe_next_path
from tests.capstone.chat_case import ChatCase, Person
from tests.capstone.form_pages import fields


class NextTest(ChatCase):
    ATTACKS = (
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "https:evil.example",
        "https://evil.example",
        "http:///evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "evil.example",
        "@evil.example",
        "/%0d%0aSet-Cookie:x".replace("%0d%0a", "\r\n"),
        "/x\\..\\..//evil",
        " //evil.example",
        "",
        "/ /evil.example",
    )

    def test_only_a_path_of_this_site_is_a_place_to_go_to(self) -> None:
        for attack in self.ATTACKS:
            with self.subTest(attack=attack):
                self.assertEqual(safe_next_path(attack), "/")
        for fine in "/", "/?a=b&c=d", "/groups/7#last", "/a//b", "/%2F%2Fevil.example", "/ü":
            with self.subTest(fine=fine):
                self.assertEqual(safe_next_path(fine), fine)

    @tornado.testing.gen_test
    async def test_login_and_registration_go_where_they_may(self) -> None:
        await self.person("anna")
        for target in *self.ATTACKS, quote("//evil.example", safe=""), "/?conversation=7":
            with self.subTest(target=target):
                expected = "/?conversation=7" if target == "/?conversation=7" else "/"
                response = await Person(self, "anna").login(next=target)
                self.assertEqual(response.code, 303)
                self.assertEqual(response.headers["Location"], expected)
        response = await Person(self, "bob").register(next="//evil.example")
        self.assertEqual((response.code, response.headers["Location"]), (303, "/"))

    @tornado.testing.gen_test
    async def test_the_forms_pass_on_only_what_is_safe(self) -> None:
        for page in "/login", "/register":
            for target in self.ATTACKS:
                with self.subTest(page=page, target=target):
                    form = await Person(self, "anna").hidden_fields(
                        f"{page}?{urlencode({'next': target})}"
                    )
                    self.assertEqual(form["next"], "/")
            form = await Person(self, "anna").hidden_fields(f"{page}?next=/%3Fconversation%3D7")
            self.assertEqual(form["next"], "/?conversation=7")

    @tornado.testing.gen_test
    async def test_a_wrong_form_keeps_where_to_go(self) -> None:
        response = await Person(self, "anna").login(next="/?conversation=7")
        self.assertEqual((response.code, fields(response)["next"]), (400, "/?conversation=7"))
        response = await Person(self, "anna").login(next="//evil.example")
        self.assertEqual((response.code, fields(response)["next"]), (400, "/"))

    @tornado.testing.gen_test
    async def test_a_stranger_is_asked_to_log_in_and_comes_back(self) -> None:
        response = await Person(self, "anna").fetch("/?conversation=7")
        self.assertEqual(response.code, 302)
        self.assertEqual(response.headers["Location"], "/login?next=%2F%3Fconversation%3D7")
