"""The smallest Tornado program: one handler, one route, one port.

Run it:  python3 learn.py run 01
"""

import asyncio

import tornado.web


class HelloHandler(tornado.web.RequestHandler):
    def get(self):
        self.write("Hello, world\n")


async def main():
    app = tornado.web.Application([(r"/", HelloHandler)])
    app.listen(8888, "localhost")
    print("Open http://localhost:8888")
    await asyncio.Event().wait()


asyncio.run(main())
