"""Store a message once, however often it is sent."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class SendHandler(tornado.web.RequestHandler):
    def post(self) -> None:
        cid, text = self.get_body_argument("cid"), self.get_body_argument("text")
        # TODO: look for the cid before you store anything.
        self.settings["events"].append({"seq": 0, "cid": cid, "text": text})
        self.write({"seq": 0})


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/send", SendHandler)], events=[])


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
