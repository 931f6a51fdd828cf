"""Lesson 03: escaping, its switches, and the places of a page (C117-C124)."""

from unittest import mock
from urllib.parse import quote, urlencode

import tornado.escape
import tornado.template
import tornado.web

from tests.support.lesson_case import RoutesHTTPTestCase, import_script, json_of

contexts = import_script("03_templates", "contexts")
escaping = import_script("03_templates", "escaping")

ATTACK = "<script>alert('1' & \"2\")</script>"
HARMLESS = "&lt;script&gt;alert(&#x27;1&#x27; &amp; &quot;2&quot;)&lt;/script&gt;"


class SwitchesTest(RoutesHTTPTestCase):
    autoescape: str | None = "xhtml_escape"

    def get_app(self) -> tornado.web.Application:
        # A process has one loader for a folder, with the settings of the first that asked.
        self.enterContext(mock.patch.dict(tornado.web.RequestHandler._template_loaders, clear=True))
        return escaping.make_app(self.autoescape)

    def comment(self, switch: str) -> str:
        """What the page shows of the attack."""
        page = self.post(f"/{switch}", urlencode({"text": ATTACK})).body.decode()
        return page.partition('<div class="comment">')[2].partition("</div>")[0]


class AutoescapeTest(SwitchesTest):
    def test_five_characters_are_escaped(self) -> None:
        """C117, C123"""
        self.assertEqual(self.comment("escaped"), HARMLESS)

    def test_raw_is_for_one_expression_not_for_a_line(self) -> None:
        """C118"""
        self.assertEqual(self.comment("raw"), f"{ATTACK} and {HARMLESS}")

    def test_autoescape_none_is_for_the_whole_file_also_above_it(self) -> None:
        """C119"""
        self.assertEqual(self.comment("file"), ATTACK)

    def test_the_base_file_still_escapes(self) -> None:
        """C119"""
        page = self.post("/file", urlencode({"text": ATTACK})).body.decode()
        self.assertIn("on by hand: {{ escape(text) }}", page)
        shown = tornado.template.DictLoader(
            {
                "base.html": "{{ text }} {% block part %}{% end %}",
                "off.html": '{% extends "base.html" %}{% autoescape None %}'
                "{% block part %}{{ text }}{% end %}",
            }
        )
        self.assertEqual(shown.load("off.html").generate(text="<").decode(), "&lt; <")

    def test_escape_by_hand_where_it_is_off(self) -> None:
        """C121"""
        self.assertEqual(self.comment("file_escape"), HARMLESS)

    def test_escape_by_hand_where_it_is_on_comes_twice(self) -> None:
        """C121"""
        self.assertEqual(self.comment("twice"), HARMLESS.replace("&", "&amp;"))

    def test_a_policy_comes_with_the_unescaped_page(self) -> None:
        """C122: Chromium's part is in tests/browser."""
        response = self.post("/csp", urlencode({"text": ATTACK}))
        self.assertEqual(response.headers["Content-Security-Policy"], "script-src 'self'")
        self.assertIn(ATTACK, response.body.decode())


class AutoescapeOffTest(SwitchesTest):
    autoescape = None

    def test_the_setting_turns_all_of_it_off(self) -> None:
        """C120"""
        self.assertEqual(self.comment("escaped"), ATTACK)

    def test_only_by_hand_is_it_still_done(self) -> None:
        """C120, C121"""
        self.assertEqual(self.comment("twice"), HARMLESS)


class PlacesTest(RoutesHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return contexts.make_app()

    def test_escaped_text_stays_text(self) -> None:
        """C117"""
        self.assertIn("<img src=x onerror", self.text("/careless/text"))
        self.assertNotIn("<img", self.text("/careful/text"))

    def test_an_attribute_needs_its_quotes(self) -> None:
        """C117"""
        self.assertEqual(self.text("/careless/attribute"), "<input value=x onclick=alert(1)>")
        attack = quote('" onclick=alert(1) "')
        self.assertEqual(
            self.text(f"/careful/attribute?text={attack}"),
            '<input value="&quot; onclick=alert(1) &quot;">',
        )

    def test_a_link_needs_its_scheme_checked(self) -> None:
        """C117: escaping lets javascript: pass."""
        self.assertIn('href="javascript:alert(1)"', self.text("/careless/link"))
        self.assertIn('href=""', self.text("/careful/link"))
        self.assertIn('href="https://a.b/"', self.text("/careful/link?text=https://a.b/"))

    def test_json_encode_keeps_a_script_closed(self) -> None:
        """C124"""
        self.assertIn('"</script><script>', self.text("/careless/script"))
        self.assertIn('"<\\/script><script>', self.text("/careful/script"))

    def test_url_escape_keeps_a_parameter_in_its_place(self) -> None:
        """C124"""
        paid = {}
        for care in ("careless", "careful"):
            link = self.text(f"/{care}/query").partition('href="')[2].partition('"')[0]
            # As a browser does: entities first, then the part after # stays at home.
            link = tornado.escape.xhtml_unescape(link).partition("#")[0]
            paid[care] = json_of(self.get(link))
        self.assertEqual(paid["careless"], {"to": "Eve", "coins": "1000"})
        self.assertEqual(paid["careful"], {"to": "Eve&coins=1000#", "coins": "1"})


def test_the_functions_of_tornado_escape() -> None:
    """C124"""
    assert tornado.escape.xhtml_escape("<&\"'>") == "&lt;&amp;&quot;&#x27;&gt;"
    assert tornado.escape.xhtml_unescape("&lt;&amp;") == "<&"
    assert tornado.escape.url_escape("a b&c/d") == "a+b%26c%2Fd"
    assert tornado.escape.url_unescape("a+b%26c") == "a b&c"
    assert tornado.escape.json_encode("</b>") == '"<\\/b>"'
    assert tornado.escape.squeeze(" a \n  b ") == "a b"
    assert tornado.escape.utf8("é") == b"\xc3\xa9"
    assert tornado.escape.to_unicode(b"\xc3\xa9") == "é"
    linked = '&lt;b&gt; <a href="http://a.b/?c=1&amp;d">http://a.b/?c=1&amp;d</a>'
    assert tornado.escape.linkify("<b> http://a.b/?c=1&d") == linked
