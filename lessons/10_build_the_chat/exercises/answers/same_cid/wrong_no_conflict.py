# No conflict.
# Told: 409
"""Store a message once, however often it is sent."""

import asyncio
import contextlib

import tornado.web
from tornado.options import define, options, parse_command_line

class SendHandler(tornado.web.RequestHandler):
    def post(self) -> None:
        cid, text = self.get_body_argument("cid"), self.get_body_argument("text")
        events = self.settings["events"]
        event = next((each for each in events if each["cid"] == cid), None)
        if event is None:
            event = {"seq": len(events) + 1, "cid": cid, "text": text}
            events.append(event)
        self.write({"seq": event["seq"]})


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
