"""An API that pages of one other origin may use: CORS, with preflight and cookies.

Run it:  python3 learn.py run 04/cors
"""

import asyncio
import contextlib

import tornado.escape
import tornado.httpserver
import tornado.netutil
import tornado.web
from tornado.options import define, options, parse_command_line

PAGE = """<!doctype html>
<html lang="en"><title>Page of another origin</title><main><h1>Page of another origin</h1>
<button id="get">Read the lamp</button> <button id="put">Switch the lamp on</button>
<button id="closed">Read without CORS</button>
<p role="status">Press a button; the console of the browser (F12) has the error messages.</p></main>
<script>
  const API = "ADDRESS";
  async function ask(path, method) {
    const options = { method, credentials: "include" };  // send the cookies, too
    if (method === "PUT") {
      options.headers = { "Content-Type": "application/json" };
      options.body = JSON.stringify({ lamp: "on" });
    }
    let answer;
    try {
      answer = await (await fetch(API + path, options)).text();
    } catch (error) {
      answer = String(error);
    }
    document.querySelector("p").textContent = answer;
  }
  document.getElementById("get").onclick = () => ask("/lamp", "GET");
  document.getElementById("put").onclick = () => ask("/lamp", "PUT");
  document.getElementById("closed").onclick = () => ask("/", "GET");
</script>
"""


class HomeHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.set_cookie("member", "ada", httponly=True, samesite="Lax")
        self.write("You are ada; now open the page of the other origin\n")


class LampHandler(tornado.web.RequestHandler):
    def set_default_headers(self) -> None:
        # Tornado calls this again after an error, so a page can read the errors, too.
        self.set_header("Vary", "Origin")  # a cache must not give one origin's response to another
        origin = self.request.headers.get("Origin")
        if origin in self.settings["allowed_origins"]:
            self.set_header("Access-Control-Allow-Origin", origin)  # exactly this one, never "*"
            self.set_header("Access-Control-Allow-Credentials", "true")

    def options(self) -> None:
        # The preflight: it has no cookies, so it must not ask for a login.
        self.set_status(204)
        self.set_header("Access-Control-Allow-Methods", "GET, PUT")
        self.set_header("Access-Control-Allow-Headers", "Content-Type")
        self.set_header("Access-Control-Max-Age", "600")  # seconds for which it need not ask again

    def get(self) -> None:
        self.write({"lamp": self.settings["state"]["lamp"], "member": self.get_cookie("member")})

    def put(self) -> None:
        try:
            self.settings["state"]["lamp"] = tornado.escape.json_decode(self.request.body)["lamp"]
        except (ValueError, KeyError, TypeError):
            raise tornado.web.HTTPError(400) from None
        self.get()


class PageHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(PAGE.replace("ADDRESS", self.settings["api"]))


def make_app(*allowed_origins: str) -> tornado.web.Application:
    """Make the API.

    Args:
        allowed_origins: the origins whose pages may use it, such as "https://shop.example".
    """
    return tornado.web.Application(
        [(r"/", HomeHandler), (r"/lamp", LampHandler)],
        allowed_origins=allowed_origins,
        state={"lamp": "off"},
    )


def make_page_app(api: str) -> tornado.web.Application:
    """Make the server of a page whose script sends requests to the API."""
    return tornado.web.Application([(r"/", PageHandler)], api=api)


async def main() -> None:
    define("port", default=8888, help="port to listen on")
    parse_command_line()
    sockets = tornado.netutil.bind_sockets(0, "localhost")  # any free port
    page = f"http://localhost:{sockets[0].getsockname()[1]}"
    api = f"http://localhost:{options.port}"
    tornado.httpserver.HTTPServer(make_page_app(api)).add_sockets(sockets)
    make_app(page, "https://shop.example").listen(options.port, "localhost")
    print(f"The page of the other origin is at {page}")
    print(f"Open {api}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
