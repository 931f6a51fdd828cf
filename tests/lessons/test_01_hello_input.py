"""Lesson 01: what a client can send, and what a handler makes of it (C035-C046)."""

import io
import logging
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import tornado.escape
import tornado.httputil
import tornado.web
from tornado.httpclient import HTTPResponse
from tornado.testing import AsyncHTTPTestCase, ExpectLog

from tests.support.lesson_case import RoutesHTTPTestCase, import_script, json_of

request_input = import_script("01_hello", "request_input")
json_body = import_script("01_hello", "json_body")
uploads = import_script("01_hello", "uploads")

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}


def multipart(field: str, filename: str, content: bytes, kind: str) -> dict[str, Any]:
    """The body and headers of a form with one file."""
    boundary = "an-unlikely-line"
    head = (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="{field}"; filename="{filename}"\r\n'
        f"Content-Type: {kind}\r\n\r\n"
    )
    return {
        "body": head.encode() + content + f"\r\n--{boundary}--\r\n".encode(),
        "headers": {"Content-Type": f"multipart/form-data; boundary={boundary}"},
    }


class RequestInputTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return request_input.make_app()

    def test_data_comes_by_query_body_path_and_header(self) -> None:
        """C035: the path part is in test_01_hello_routing.py."""
        told = json_of(self.fetch("/?a=1", headers={"Accept-Language": "tlh"}))
        self.assertEqual((told["path"], told["query"], told["language"]), ("/", "a=1", "tlh"))
        self.assertEqual(told["remote_ip"], "127.0.0.1")

    def test_one_name_from_every_place(self) -> None:
        """C036, C037, C038, C042: the last of repeats wins, and the body comes last."""
        response = self.fetch("/arguments?a=1&a=2", method="POST", body="a=3")
        self.assertEqual(
            json_of(response),
            {
                "query": "2",
                "all of query": ["1", "2"],
                "body": "3",
                "all of body": ["3"],
                "either": "3",
                "all": ["1", "2", "3"],
            },
        )

    def test_a_missing_argument_is_400(self) -> None:
        """C039"""
        with ExpectLog("tornado.general", "400 POST .*Missing argument a"):
            self.assertEqual(self.fetch("/arguments", method="POST", body="").code, 400)

    def test_a_json_body_has_no_arguments(self) -> None:
        """C037"""
        response = self.fetch("/arguments?a=1", method="POST", body='{"a": 2}', headers=JSON)
        self.assertEqual(json_of(response)["all of body"], [])


class ArgumentHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        strip = self.get_query_argument("strip", "yes") == "yes"
        self.write(
            {
                "argument": self.get_query_argument("a", None, strip=strip),
                "plural": self.get_query_arguments("absent"),
                "types": sorted(type(value).__name__ for value in self.request.arguments["a"]),
            }
        )

    def put(self) -> None:
        self.write({"body": self.get_body_arguments("a"), "raw": self.request.body.decode()})


class MissingHandler(tornado.web.RequestHandler):
    def get(self) -> None:
        try:
            self.get_query_argument("planet")
        except tornado.web.MissingArgumentError as error:
            self.write({"status": error.status_code, "arg_name": error.arg_name})


class RequestFactsHandler(tornado.web.RequestHandler):
    def post(self) -> None:
        request = self.request
        assert type(request) is tornado.httputil.HTTPServerRequest
        self.write(
            {
                "method": request.method,
                "host": request.host,
                "uri": request.uri,
                "path": request.path,
                "query": request.query,
                "version": request.version,
                "header": request.headers["x-colour"],
                "body": [type(request.body).__name__, len(request.body)],
                "remote_ip": request.remote_ip,
                "files": list(request.files),
                "protocol": request.protocol,
                "full_url": request.full_url(),
                "cookie": request.cookies["flavour"].value,
            }
        )


class ArgumentDetailsTest(RoutesHTTPTestCase):
    routes = (("/", ArgumentHandler), ("/missing", MissingHandler), ("/facts", RequestFactsHandler))

    def argument(self, value: str, **more: str) -> str:
        query = urlencode({"a": value, **more})
        argument: str = json_of(self.get(f"/?{query}"))["argument"]
        return argument

    def test_the_plural_is_an_empty_list_when_there_is_none(self) -> None:
        """C036"""
        self.assertEqual(json_of(self.get("/?a=1"))["plural"], [])

    def test_a_form_is_parsed_on_put_too(self) -> None:
        """C037"""
        response = self.fetch("/", method="PUT", body="a=1&a=2", headers=FORM)
        self.assertEqual(json_of(response)["body"], ["1", "2"])

    def test_a_text_body_has_no_arguments(self) -> None:
        """C037: it is in request.body."""
        response = self.fetch("/", method="PUT", body="a=1", headers={"Content-Type": "text/plain"})
        self.assertEqual(json_of(response), {"body": [], "raw": "a=1"})

    def test_the_error_knows_the_name(self) -> None:
        """C039"""
        self.assertEqual(json_of(self.get("/missing")), {"status": 400, "arg_name": "planet"})
        self.assertTrue(issubclass(tornado.web.MissingArgumentError, tornado.web.HTTPError))

    def test_values_are_stripped_unless_asked_otherwise(self) -> None:
        """C040"""
        self.assertEqual(self.argument("  x  "), "x")
        self.assertEqual(self.argument("  x  ", strip="no"), "  x  ")

    def test_control_characters_become_a_space(self) -> None:
        """C040: even without strip."""
        self.assertEqual(self.argument("a\x00b\x08c", strip="no"), "a b c")

    def test_bytes_that_are_not_utf_8_are_400(self) -> None:
        """C040"""
        with ExpectLog("tornado.general", "400 GET .*Invalid unicode in a"):
            self.assertEqual(self.get("/?a=%FF").code, 400)

    def test_getters_give_text_and_request_arguments_bytes(self) -> None:
        """C041"""
        told = json_of(self.get("/?a=1&a=2"))
        self.assertEqual((told["argument"], told["types"]), ("2", ["bytes", "bytes"]))

    def test_the_request_knows_everything_that_came(self) -> None:
        """C043"""
        headers = {"X-Colour": "teal", "Cookie": "flavour=oat", **FORM}
        told = json_of(self.post("/facts?b=2", "a=1", headers=headers))
        host = f"127.0.0.1:{self.get_http_port()}"
        self.assertEqual(
            told,
            {
                "method": "POST",
                "host": host,
                "uri": "/facts?b=2",
                "path": "/facts",
                "query": "b=2",
                "version": "HTTP/1.1",
                "header": "teal",
                "body": ["bytes", 3],
                "remote_ip": "127.0.0.1",
                "files": [],
                "protocol": "http",
                "full_url": f"http://{host}/facts?b=2",
                "cookie": "oat",
            },
        )


class UploadTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory())) / "kept"
        self.folder.mkdir()
        return uploads.make_app(self.folder)

    def get_httpserver_options(self) -> dict[str, Any]:
        return {"max_body_size": uploads.MAX_BYTES}

    def upload(self, filename: str, content: bytes, field: str = "picture") -> HTTPResponse:
        options = multipart(field, filename, content, "image/png")
        return self.fetch("/", method="POST", raise_error=False, **options)

    def test_the_page_has_the_form(self) -> None:
        """C045"""
        self.assertIn(b'enctype="multipart/form-data"', self.fetch("/").body)

    def test_a_file_is_kept_as_the_bytes_that_came(self) -> None:
        """C044, C045"""
        content = bytes(range(256))
        told = json_of(self.upload("cat.png", content))
        self.assertEqual((told["bytes"], told["type"]), (256, "image/png"))
        self.assertEqual((self.folder / told["kept as"]).read_bytes(), content)

    def test_the_clients_file_name_cannot_leave_the_folder(self) -> None:
        """C045"""
        told = json_of(self.upload("../escaped", b"x"))
        self.assertEqual([path.name for path in self.folder.iterdir()], [told["kept as"]])
        self.assertEqual([path.name for path in self.folder.parent.iterdir()], ["kept"])

    def test_a_file_over_the_limit_is_refused(self) -> None:
        """C045: by the server, before the handler is made."""
        log = ExpectLog("tornado.general", ".*Content-Length too long", level=logging.INFO)
        with log:
            response = self.upload("big", b"x" * uploads.MAX_BYTES)
        self.assertEqual((response.code, response.body), (400, b""))
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_a_form_without_the_file_is_400(self) -> None:
        """C044"""
        self.assertEqual(self.upload("cat.png", b"x", field="other").code, 400)


class FileFactsHandler(tornado.web.RequestHandler):
    def post(self) -> None:
        file = self.request.files["picture"][0]
        assert type(file) is tornado.httputil.HTTPFile
        assert file["filename"] == file.filename
        self.write({"filename": file.filename, "type": file.content_type, "body": len(file.body)})


class UploadDetailsTest(RoutesHTTPTestCase):
    routes = (("/", FileFactsHandler),)

    def test_a_file_is_read_by_key_and_by_attribute(self) -> None:
        """C044, C045: and its name arrives as the client wrote it."""
        told = json_of(self.post("/", **multipart("picture", "../x", b"abc", "image/png")))
        self.assertEqual(told, {"filename": "../x", "type": "image/png", "body": 3})

    def test_bytes_do_not_go_into_a_text_file(self) -> None:
        """C045"""
        with self.assertRaises(TypeError):
            io.TextIOWrapper(io.BytesIO()).write(b"bytes")  # type: ignore[arg-type]


class JsonBodyTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return json_body.make_app()

    def test_json_is_decoded_in_prepare(self) -> None:
        """C046"""
        response = self.fetch("/", method="POST", body="[1, 2, 3]", headers=JSON)
        self.assertEqual(json_of(response), {"received": [1, 2, 3]})

    def test_broken_json_is_400(self) -> None:
        """C046: a body that is not even UTF-8 is, too."""
        for body in [b"[1, 2", b"", b"\xff"]:
            with self.subTest(body=body):
                response = self.fetch("/", method="POST", body=body, headers=JSON)
                self.assertEqual((response.code, response.reason), (400, "The body is not JSON"))

    def test_a_missing_content_type_does_no_harm(self) -> None:
        """C046"""
        response = self.fetch("/")
        self.assertEqual(response.code, 200)


class CarelessJsonHandler(tornado.web.RequestHandler):
    def prepare(self) -> None:
        kind = self.request.headers.get("Content-Type")
        if kind.startswith("application/json"):  # type: ignore[union-attr]  # the mistake
            tornado.escape.json_decode(self.request.body)

    def get(self) -> None:
        self.write("never reached without the header")

    post = get


class CarelessJsonTest(RoutesHTTPTestCase):
    routes = (("/", CarelessJsonHandler),)

    def test_a_header_without_a_default_makes_a_500(self) -> None:
        """C046"""
        with ExpectLog("tornado.application", "Uncaught exception GET /"):
            self.assertEqual(self.get("/").code, 500)

    def test_an_uncaught_decoding_error_makes_a_500(self) -> None:
        """C046"""
        with ExpectLog("tornado.application", "Uncaught exception POST /"):
            self.assertEqual(self.post("/", "[1, 2", headers=JSON).code, 500)
