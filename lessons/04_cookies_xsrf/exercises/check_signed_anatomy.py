"""All parts of a signed value, whatever its name, value and key; nonsense is 400."""

from urllib.parse import urlencode

import tornado.web

from course.exercise_case import ExerciseCase

KEYS = {3: "a secret that this application does not know"}
PARTS = (
    "README.md, step 2: version|key|time|name|value|signature. All but the first and the last\n"
    "stand behind their length and a colon. version, key and time are numbers, the value is base64"
)
VALUE = "the value is base64 of UTF-8: base64.b64decode(...).decode()"
LENGTH = "count, do not split: 5:a|b|c means that the name is the 5 characters behind the colon"
NONSENSE = "int() and b64decode() raise ValueError: turn that into HTTPError(400)"


class SignedAnatomy(ExerciseCase):
    def decode(self, name: str, value: str, look: str) -> None:
        signed = tornado.web.create_signed_value(
            KEYS, name, value, clock=lambda: 1800000000, key_version=3
        ).decode()
        parts = {
            "version": 2,
            "key": 3,
            "time": 1800000000,
            "name": name,
            "value": value,
            "signature": signed.rpartition("|")[2],
        }
        query = urlencode({"signed": signed}, safe="|:=")
        self.send("GET", f"/decode?{query}").expect(status=200, json=parts, look=look)

    def test_the_parts_of_a_counter(self) -> None:
        self.decode("count", "5", PARTS)

    def test_a_value_may_be_any_text(self) -> None:
        self.decode("greeting", "Grüße, 世界", VALUE)

    def test_a_name_may_hold_the_separator(self) -> None:
        self.decode("a|b|c", "5", LENGTH)

    def test_what_is_no_signed_value_is_400(self) -> None:
        for nonsense in ("5", "2|many:0|", "2|1:0|99:1800000000|5:count|4:NQ==|6d5d"):
            with self.subTest(nonsense):
                self.send("GET", f"/decode?{urlencode({'signed': nonsense}, safe='|:=')}").expect(
                    status=400, look=NONSENSE
                )
