"""Use a captcha: once, and for its own form."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line


class CheckHandler(tornado.web.RequestHandler):
    def post(self) -> None:
        captcha_id = self.get_body_argument("captcha_id")
        # TODO: find the captcha, use it up, and compare its form and its answer.
        self.write({"right": captcha_id == "TODO"})


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/check", CheckHandler)], captchas={})


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
