"""No form or call without the token of the page, from another site, or as plain text."""

import json

import tornado.tcpclient
import tornado.testing

from tests.capstone.chat_case import ChatCase


class XsrfTest(ChatCase):
    POSTS = (
        "/login",
        "/register",
        "/logout",
        "/captcha/login",
        "/api/groups",
        "/api/groups/1/join",
    )

    @tornado.testing.gen_test
    async def test_a_form_or_call_without_the_token_is_refused(self) -> None:
        anna = await self.person("anna")
        for path in self.POSTS:
            for kind, body in (
                ("application/x-www-form-urlencoded", "name=x"),
                ("application/json", '{"title": "x"}'),
                ("text/plain", '{"title": "x"}'),
            ):
                with self.subTest(path=path, kind=kind):
                    response = await anna.fetch(
                        path, method="POST", body=body, headers={"Content-Type": kind}
                    )
                    self.assertEqual(response.code, 403)
        self.assertEqual((await anna.call("GET", "/api/groups"))[1]["groups"], [])

    @tornado.testing.gen_test
    async def test_a_token_of_another_browser_is_refused(self) -> None:
        anna, mallory = await self.person("anna"), await self.person("mallory")
        stolen = await mallory.token()
        response = await anna.submit("/logout", {"_xsrf": stolen})
        self.assertEqual(response.code, 403)
        for forged in "", "x", "2|0|0|0", "\u00e9" * 9:
            self.assertEqual((await anna.submit("/logout", {"_xsrf": forged})).code, 403)
        self.assertEqual((await anna.call("GET", "/api/state"))[0], 200)

    @tornado.testing.gen_test
    async def test_a_post_from_another_site_is_refused_though_its_token_is_right(self) -> None:
        anna = await self.person("anna")
        own = self.get_url("")
        body = json.dumps({"title": "Garden"})
        for headers, expected in (
            ({"Sec-Fetch-Site": "cross-site"}, 403),
            ({"Sec-Fetch-Site": "same-site"}, 403),
            ({"Sec-Fetch-Site": "cross-site", "Origin": own}, 403),
            ({"Origin": "https://evil.example"}, 403),
            ({"Origin": "null"}, 403),
            ({"Origin": own + ".evil.example"}, 403),
            ({"Origin": own}, 201),
            ({"Sec-Fetch-Site": "same-origin", "Origin": own}, 201),
        ):
            with self.subTest(**headers):
                response = await anna.send_json("POST", "/api/groups", body, **headers)
                self.assertEqual(response.code, expected)

    @tornado.testing.gen_test
    async def test_only_json_that_says_so_is_read(self) -> None:
        anna = await self.person("anna")
        body = '{"title": "Garden"}'
        for kind in "text/plain", "application/x-www-form-urlencoded", "text/json", "":
            with self.subTest(kind=kind):
                response = await anna.send_json(
                    "POST", "/api/groups", body, **{"Content-Type": kind}
                )
                self.assertEqual(response.code, 415)
                self.assertEqual(json.loads(response.body)["error"]["code"], "not_json")
        kind = "application/json; charset=utf-8"
        response = await anna.send_json("POST", "/api/groups", body, **{"Content-Type": kind})
        self.assertEqual(response.code, 201)
