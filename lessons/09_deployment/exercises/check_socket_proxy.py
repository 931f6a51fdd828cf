"""Through nginx a page of the site gets a socket; one of another site does not.

Needs:  nginx
"""

from course.program_case import ProgramCase
from course.socket_case import SocketCase

CONF = "NGINX: each line ends with a semicolon, each { has its }"
UPGRADE = (
    "NGINX: nginx hands on neither header by itself:\n"
    'proxy_set_header Upgrade $http_upgrade;  and  proxy_set_header Connection "upgrade";'
)
HOST = (
    "NGINX: the Origin of the page has to equal the Host that the application is told,\n"
    "and that is 127.0.0.1:APP_1 unless you add  proxy_set_header Host $http_host;"
)
VERSION = "NGINX: proxy_http_version 1.1;  without it nginx ends the connection after the answer"
FOREIGN = "make_app(): no check_origin() of your own: mend nginx, not the application"


class SocketProxy(ProgramCase, SocketCase):
    def get_http_port(self) -> int:
        return self.apps[0]

    def setUp(self) -> None:
        super().setUp()
        self.http_server.listen(self.apps[0], "127.0.0.1")
        self.start_nginx(look=CONF)
        self.page = {"Origin": f"http://localhost:{self.front}"}

    def test_a_program_gets_a_socket(self) -> None:
        self.connect("/chat", look=UPGRADE)

    def test_a_page_of_the_site_gets_a_socket(self) -> None:
        self.connect("/chat", headers=self.page, look=HOST)

    def test_it_carries_frames(self) -> None:
        socket = self.connect("/chat", headers=self.page, look=HOST)
        for text in ("hello", "still there?"):
            socket.send(text)
            socket.expect(text, look=VERSION)

    def test_a_page_of_another_site_gets_none(self) -> None:
        headers = {"Origin": "https://evil.example"}
        self.handshake("/chat", headers=headers).expect(status=403, look=FOREIGN)

    def test_a_plain_get_is_still_answered(self) -> None:
        self.send("GET", "/chat").expect(status=400, look=UPGRADE)
