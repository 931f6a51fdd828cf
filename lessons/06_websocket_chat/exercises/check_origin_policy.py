"""Own pages, the partner and programs get in; no other page does, however similar its name."""

from course.testing.websocket import WebSocketCase

STRANGER = "Without a check_origin() of your own, Tornado refuses foreign pages; see origin.py"
PARTNER = "make_app(): trusted_origins is a list of whole origins, such as https://host.example"
ALIKE = "Compare whole origins (scheme, host and port), not the beginning, the end or a part of one"
PORT = "Another port is another origin, and so is a longer name: compare with the whole Host header"
OWN = "Pages of this server may connect: Tornado compares Origin with Host before check_origin()"
PROGRAM = "A program sends no Origin. It has no cookies of your visitors, so accept it"


class OriginPolicy(WebSocketCase):
    frame_timeout = 0.8

    def expect_status(self, status: int, origin: str, advice: str) -> None:
        self.handshake("/news", headers={"Origin": origin}).expect(status=status, advice=advice)

    def test_a_stranger_is_refused(self) -> None:
        self.expect_status(403, "https://evil.example", STRANGER)

    def test_your_own_page_gets_in(self) -> None:
        self.expect_status(101, self.get_url("").rstrip("/"), OWN)

    def test_the_partner_gets_in(self) -> None:
        self.expect_status(101, "https://partner.example", PARTNER)

    def test_an_origin_like_the_partner_is_refused(self) -> None:
        for origin in (
            "http://partner.example",  # anybody on the way can change a page without TLS
            "https://partner.example.evil.example",
            "https://evil-partner.example",
            "https://partner.example:8443",
            "https://partner.exam",
            "https://shop.partner.example",
            "https://partnerxexample",
            "https://evil.example/https://partner.example",
            "null",
        ):
            self.expect_status(403, origin, ALIKE)

    def test_an_origin_like_your_own_is_refused(self) -> None:
        own = self.get_url("").rstrip("/")
        for origin in (own.rpartition(":")[0] + ":1", f"{own}.evil.example", f"{own}@evil.example"):
            self.expect_status(403, origin, PORT)

    def test_a_program_without_an_origin_gets_in(self) -> None:
        self.handshake("/news").expect(status=101, advice=PROGRAM)

    def test_the_news_still_come(self) -> None:
        socket = self.connect(
            "/news", headers={"Origin": "https://partner.example"}, advice=PARTNER
        )
        socket.expect("news for you", advice="open(): leave it as it was")
