"""All parts of a signed value, whatever its name, value and key; nonsense is 400."""

from urllib.parse import urlencode

import tornado.web

from course.testing.http import ExerciseCase, Response

KEYS = {3: "a secret that this application does not know"}
PARTS = (
    "FURTHER.md, step 1: version|key|time|name|value|signature.\n"
    "Each part except the first and the last comes after its length and a colon.\n"
    "version, key and time are numbers; the value is base64"
)
VALUE = "The value is base64 of UTF-8: base64.b64decode(...).decode()"
LENGTH = "Count, do not split: 5:a|b|c means that the name is the 5 characters after the colon"
NONSENSE = (
    "int() and b64decode() raise ValueError, an index out of range IndexError:\n"
    "catch them and raise tornado.web.HTTPError(400)"
)
BAR = "After as many characters as the length says, there must be a |. Else answer 400"


class SignedAnatomy(ExerciseCase):
    def signed(self, name: str, value: str) -> str:
        return tornado.web.create_signed_value(
            KEYS, name, value, clock=lambda: 1800000000, key_version=3
        ).decode()

    def ask(self, signed: str) -> Response:
        return self.send("GET", f"/decode?{urlencode({'signed': signed}, safe='|:=')}")

    def decode(self, name: str, value: str, advice: str) -> None:
        signed = self.signed(name, value)
        parts = {
            "version": 2,
            "key": 3,
            "time": 1800000000,
            "name": name,
            "value": value,
            "signature": signed.rpartition("|")[2],
        }
        self.ask(signed).expect(status=200, json=parts, advice=advice)

    def test_the_parts_of_a_counter(self) -> None:
        self.decode("count", "5", PARTS)

    def test_a_value_may_be_any_text(self) -> None:
        self.decode("greeting", "Grüße, 世界", VALUE)

    def test_a_name_may_hold_the_separator(self) -> None:
        for name in ("a|b|c", "a:b", "4:NQ==|"):
            self.decode(name, "5", LENGTH)

    def test_a_text_that_is_not_a_signed_value_is_400(self) -> None:
        for nonsense in ("5", "2|many:0|", "2|1:0|99:1800000000|5:count|4:NQ==|6d5d"):
            self.ask(nonsense).expect(status=400, advice=NONSENSE)

    def test_a_wrong_length_is_400(self) -> None:
        signed = self.signed("count", "5")
        for wrong in ("4:count|", "6:count|", "5:count-"):
            self.ask(signed.replace("5:count|", wrong)).expect(status=400, advice=BAR)
