"""Own pages, the partner and programs get in; no other page does, however alike its name."""

from course.socket_case import SocketCase

STRANGER = "check_origin(): without one of your own, Tornado refuses foreign pages; origin.py"
PARTNER = "make_app(): the setting trusted_origins is a list of whole origins"
ALIKE = "compare whole origins: neither the beginning, nor the end, nor a part of one"
OWN = "leave the comparison with Host to Tornado: it lets your own pages in before check_origin()"


class OriginPolicy(SocketCase):
    def expect_status(self, status: int, origin: str, look: str) -> None:
        self.handshake("/news", headers={"Origin": origin}).expect(status=status, look=look)

    def test_a_stranger_is_refused(self) -> None:
        self.expect_status(403, "https://evil.example", STRANGER)

    def test_your_own_page_gets_in(self) -> None:
        self.expect_status(101, self.get_url("").rstrip("/"), OWN)

    def test_the_partner_gets_in(self) -> None:
        self.expect_status(101, "https://partner.example", PARTNER)

    def test_who_is_only_like_the_partner_is_refused(self) -> None:
        for origin in (
            "http://partner.example",  # anybody on the way can change a page without TLS
            "https://partner.example.evil.example",
            "https://evil-partner.example",
            "https://partner.example:8443",
            "https://partner.exam",
            "https://evil.example/https://partner.example",
            "null",
        ):
            with self.subTest(origin):
                self.expect_status(403, origin, ALIKE)

    def test_a_program_without_an_origin_gets_in(self) -> None:
        look = "Tornado lets in whoever sends no Origin: no browser, so no cookies of a visitor"
        self.handshake("/news").expect(status=101, look=look)

    def test_the_news_still_come(self) -> None:
        socket = self.connect("/news", headers={"Origin": "https://partner.example"}, look=PARTNER)
        socket.expect("news for you", look="open(): leave it as it is")
