"""Through nginx a page of the site gets a socket; one of another site does not.

Needs:  nginx
"""

import re

from course.testing.services import ServiceCase
from course.testing.websocket import WebSocketCase, WebSocketClient

CONF = "NGINX: each line ends with a semicolon, each { has its }."
MAP = (
    "NGINX: nginx has no variable $connection_upgrade by itself. In the lesson's nginx.conf, a map "
    'defines\nit. Copy the map in front of the server, or write  "upgrade"  instead of it.'
)
UPGRADE = (
    "NGINX: the handshake needs two headers, and nginx passes on neither by itself:\n"
    'proxy_set_header Upgrade $http_upgrade;  and  proxy_set_header Connection "upgrade";'
)
HOST = (
    "NGINX: the Origin of the page has to equal the Host that the application gets, with its port. "
    "By\ndefault that is 127.0.0.1:APP_1. Add  proxy_set_header Host $http_host;  ($host has no "
    "port)."
)
VERSION = (
    "NGINX: keep  proxy_http_version 1.1;  Up to nginx 1.29.6 the default is 1.0, and with 1.0 the "
    "connection is closed after the answer."
)
FOREIGN = (
    "A page of another site got a socket. Leave the Origin as it came, set Host from the request "
    "of the browser, and leave the application without a check_origin() of yours."
)
ROUTE = "NGINX: the location has to pass /chat on to http://127.0.0.1:APP_1."


class SocketProxy(ServiceCase, WebSocketCase):
    def get_http_port(self) -> int:
        return self.apps[0]

    def setUp(self) -> None:
        super().setUp()
        self.http_server.listen(self.apps[0], "127.0.0.1")
        text = str(getattr(self.subject, "NGINX", ""))
        no_map = "$connection_upgrade" in text and not re.search(r"\bmap\s", text)
        self.start_nginx(advice=MAP if no_map else CONF)
        self.page = {"Origin": f"http://localhost:{self.front}"}

    def page_gets_a_socket(self) -> WebSocketClient:
        answer = self.handshake("/chat", headers=self.page)
        if answer.status != 101:
            advice_by_status = {400: UPGRADE, 426: UPGRADE, 403: HOST}
            answer.expect(status=101, advice=advice_by_status.get(answer.status or 0, ROUTE))
        return self.connect("/chat", headers=self.page, advice=HOST)

    def test_a_page_of_the_site_gets_a_socket(self) -> None:
        self.page_gets_a_socket()

    def test_frames_pass_in_both_directions(self) -> None:
        socket = self.page_gets_a_socket()
        for text in ("hello", "still there?"):
            socket.send(text)
            socket.expect(text, advice=VERSION)

    def test_a_page_of_another_site_gets_403(self) -> None:
        for origin in ("https://evil.example", f"http://evil.example:{self.front}"):
            answer = self.handshake("/chat", headers={"Origin": origin})
            answer.expect(status=403, advice=FOREIGN if answer.status == 101 else UPGRADE)

    def test_a_program_gets_a_socket(self) -> None:
        self.connect("/chat", advice=UPGRADE)
