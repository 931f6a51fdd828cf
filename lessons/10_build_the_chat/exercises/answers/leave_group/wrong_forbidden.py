# Forbidden.
# Told: 404
"""Leave a group."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line

class LeaveHandler(tornado.web.RequestHandler):
    def post(self, group: str) -> None:
        groups, user = self.settings["groups"], self.get_query_argument("user")
        members = groups.get(int(group), set())
        if user not in members:
            raise tornado.web.HTTPError(403)
        members.remove(user)
        if not members:
            del groups[int(group)]
        self.set_status(204)


def make_app() -> tornado.web.Application:
    return tornado.web.Application([(r"/groups/(\d{1,9})/leave", LeaveHandler)], groups={})


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    make_app().listen(options.port, "localhost")
    print(f"Open http://localhost:{options.port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
