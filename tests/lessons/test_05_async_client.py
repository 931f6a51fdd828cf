"""Lesson 05: the HTTP client: requests, answers, errors, redirects, limits (C196-C203, C501)."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from unittest import mock

import tornado.web
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.simple_httpclient import HTTPTimeoutError
from tornado.testing import AsyncHTTPTestCase, ExpectLog, bind_unused_port, gen_test

from course.ports import free_port
from tests.support.lesson_case import RoutesHTTPTestCase, import_script, json_of

http_client = import_script("05_async", "http_client")
client_errors = import_script("05_async", "client_errors")
client_limits = import_script("05_async", "client_limits")
upstream = import_script("05_async", "upstream")
QUEUE_LIMIT = 1.0  # seconds


@contextlib.contextmanager
def silent_server() -> Iterator[str]:
    """The address of a port that takes connections, and never answers."""
    listener, port = bind_unused_port()
    with listener:
        yield f"http://127.0.0.1:{port}"


def refused_address() -> str:
    return f"http://127.0.0.1:{free_port(0)}"


class WeatherTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return http_client.make_app(self.get_url("/upstream"))

    def test_a_handler_asks_another_service(self) -> None:
        """C196, C201, C203: the answer is bytes of JSON, fetched in a method of its own."""
        self.assertEqual(self.fetch("/").body, b"Berlin: cloudy, 6 degrees\n")
        self.assertEqual(self.fetch("/?city=Oslo").body, b"Oslo: cloudy, 4 degrees\n")

    def test_without_await_the_result_is_a_coroutine_object(self) -> None:
        """C194: in the way that README.md says in step 5."""

        async def get(handler: tornado.web.RequestHandler) -> None:
            handler.write(http_client.WeatherHandler.weather(handler, "Oslo")["text"])

        with (
            mock.patch.object(http_client.WeatherHandler, "get", get),
            self.assertLogs("tornado.application", logging.ERROR) as log,
            self.assertWarnsRegex(RuntimeWarning, "was never awaited"),
        ):
            self.assertEqual(self.fetch("/").code, 500)
        self.assertIn("TypeError: 'coroutine' object is not subscriptable", log.output[0])

    def test_the_city_is_encoded(self) -> None:
        """C201: url_concat keeps a value from becoming a second argument."""
        answer = self.fetch("/?city=A%26city%3DOslo").body.decode()
        self.assertEqual(answer, "A&city=Oslo: cloudy, 11 degrees\n")

    def test_a_request_object_carries_method_headers_and_body(self) -> None:
        """C197"""
        response = self.fetch("/", method="POST", body="city=Oslo&text=snow")
        self.assertEqual((response.code, response.reason), (201, "Created"))
        self.assertEqual(json_of(response), {"kept": {"city": "Oslo", "text": "snow"}})
        self.assertEqual(self.fetch("/?city=Oslo").body, b"Oslo: snow, 4 degrees\n")

    @gen_test
    async def test_the_client_is_one_for_the_whole_loop(self) -> None:
        """C196"""
        self.assertIs(AsyncHTTPClient(), AsyncHTTPClient())
        with contextlib.closing(AsyncHTTPClient(force_instance=True)) as another:
            self.assertIsNot(another, AsyncHTTPClient())

    @gen_test
    async def test_arguments_beside_a_request_object_are_refused(self) -> None:
        """C196"""
        request = HTTPRequest(self.get_url("/"))
        told = "kwargs can't be used if request is an HTTPRequest object"
        with self.assertRaisesRegex(ValueError, told):
            await self.http_client.fetch(request, method="POST")

    @gen_test
    async def test_the_http_method_decides_whether_a_body_is_needed(self) -> None:
        """C197: POST, PUT and PATCH need one, though it may be empty; GET must not have one."""
        url = self.get_url("/upstream/weather?city=Oslo")
        for method in ("POST", "PUT", "PATCH"):
            told = "Body must not be None for method POST".replace("POST", method)
            with self.subTest(method=method), self.assertRaisesRegex(ValueError, told):
                await self.http_client.fetch(url, method=method)
        with self.assertRaisesRegex(ValueError, "Body must be None for method GET"):
            await self.http_client.fetch(url, body="city=Oslo")

    @gen_test
    async def test_what_a_response_holds(self) -> None:
        """C198"""
        url = self.get_url("/upstream/weather?city=Oslo")
        response = await self.http_client.fetch(url)
        self.assertEqual((response.code, response.reason), (200, "OK"))
        self.assertEqual(response.body, b'{"text": "cloudy", "degrees": 4}')
        self.assertTrue(response.headers["Content-Type"].startswith("application/json"))
        self.assertEqual(response.effective_url, url)
        assert response.request_time is not None
        self.assertGreater(response.request_time, 0)  # seconds

    def test_braces_around_one_string_make_a_set(self) -> None:
        """C202: which cannot be asked for a key."""
        reply = {"ret:0"}
        with self.assertRaisesRegex(TypeError, "'set' object is not subscriptable"):
            reply["ret"]  # type: ignore[index]


class UpstreamTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return upstream.make_app()

    def test_it_answers_each_question(self) -> None:
        """C201: a service of our own; the public ones of old tutorials are not asked."""
        self.assertEqual(json_of(self.fetch("/price")), {"price": 12})
        self.assertEqual(json_of(self.fetch("/stock")), {"stock": 3})
        self.assertEqual(self.fetch("/missing").code, 404)

    @gen_test
    async def test_slow_is_slower_than_anybody_waits(self) -> None:
        """C201"""
        with self.assertRaises(HTTPTimeoutError):
            await self.http_client.fetch(self.get_url("/slow"), request_timeout=0.05)


class PatientHandler(tornado.web.RequestHandler):
    """Answers when the client has gone, and not before."""

    async def get(self) -> None:
        self.gone = asyncio.Event()
        await self.gone.wait()

    def on_connection_close(self) -> None:
        self.gone.set()


class ErrorsTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        return client_errors.make_app(self.get_url("/upstream"))

    def test_a_good_answer_is_passed_on(self) -> None:
        """C199"""
        url = self.get_url("/upstream/fine")
        self.assertEqual(self.fetch("/ask/fine").body.decode(), f"200 OK from {url}\n")

    def test_the_client_follows_a_redirect(self) -> None:
        """C200: effective_url is where it arrived."""
        url = self.get_url("/upstream/fine")
        self.assertEqual(self.fetch("/ask/moved").body.decode(), f"200 OK from {url}\n")

    def test_an_error_of_the_other_service_is_a_502(self) -> None:
        """C199: fetch() raises, so nothing behind it runs."""
        with ExpectLog("tornado.general", ".*upstream: HTTP 404: Not Found"):
            response = self.fetch("/ask/missing")
        self.assertEqual(response.code, 502)
        self.assertNotIn(b"404", response.body)

    def test_a_refused_connection_is_a_502(self) -> None:
        """C199"""
        with ExpectLog("tornado.general", ".*Connection refused"):
            self.assertEqual(self.fetch("/refused/fine").code, 502)

    def test_a_service_that_is_too_slow_is_a_504(self) -> None:
        """C199"""
        self.enterContext(mock.patch.object(client_errors, "PATIENCE", 0.05))
        with ExpectLog("tornado.general", ".*Timeout (during request|while)"):
            self.assertEqual(self.fetch("/ask/slow").code, 504)

    def test_the_page_leads_to_each_case(self) -> None:
        """C199"""
        self.assertEqual(self.fetch("/").body.count(b"<a "), 5)


class FetchTest(RoutesHTTPTestCase):
    """What fetch() itself raises."""

    routes = (
        (r"/moved", tornado.web.RedirectHandler, {"url": "/missing", "permanent": False}),
        (r"/round", tornado.web.RedirectHandler, {"url": "/round"}),
        (r"/missing", tornado.web.ErrorHandler, {"status_code": 404}),
        (r"/patient", PatientHandler),
    )

    @gen_test
    async def test_any_answer_without_success_is_raised(self) -> None:
        """C199: the answer is in the exception."""
        with self.assertRaisesRegex(HTTPClientError, "HTTP 404: Not Found") as caught:
            await self.http_client.fetch(self.get_url("/missing"))
        self.assertEqual(caught.exception.code, 404)
        assert caught.exception.response is not None
        self.assertIn(b"404: Not Found", caught.exception.response.body)

    @gen_test
    async def test_raise_error_false_returns_any_answer(self) -> None:
        """C199"""
        response = await self.http_client.fetch(self.get_url("/missing"), raise_error=False)
        self.assertEqual(response.code, 404)

    @gen_test
    async def test_where_there_is_no_answer_it_raises_all_the_same(self) -> None:
        """C199: raise_error=False cannot return what did not come."""
        with self.assertRaisesRegex(ConnectionRefusedError, "Connection refused"):
            await self.http_client.fetch(refused_address(), raise_error=False)
        with self.assertRaisesRegex(HTTPTimeoutError, "Timeout during request") as caught:
            await self.http_client.fetch(
                self.get_url("/patient"), request_timeout=1, raise_error=False
            )
        self.assertEqual(caught.exception.code, 599)

    @gen_test
    async def test_a_redirect_that_is_not_followed_is_raised(self) -> None:
        """C200"""
        with self.assertRaisesRegex(HTTPClientError, "HTTP 302") as caught:
            await self.http_client.fetch(self.get_url("/moved"), follow_redirects=False)
        assert caught.exception.response is not None
        self.assertEqual(caught.exception.response.headers["Location"], "/missing")

    @gen_test
    async def test_redirects_are_followed_five_times(self) -> None:
        """C200"""
        with self.assertRaisesRegex(HTTPClientError, "HTTP 301"):
            await self.http_client.fetch(self.get_url("/round"))


class LimitsTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        application = client_limits.make_app(self.get_url("/upstream"))
        self.addCleanup(application.settings["client"].close)
        return application

    def test_no_more_than_max_clients_run_at_once(self) -> None:
        """C501"""
        self.assertEqual(json_of(self.fetch("/")), {"asked": 6, "most at once": 2})

    def test_a_body_over_max_body_size_is_refused(self) -> None:
        """C501"""
        with (
            ExpectLog(
                "tornado.general",
                "Malformed HTTP message.*Content-Length too long",
                level=logging.INFO,
            ),
            ExpectLog("tornado.general", ".*upstream: Connection closed"),
        ):
            self.assertEqual(self.fetch("/big").code, 502)

    @gen_test
    async def test_the_wait_in_the_queue_has_a_limit(self) -> None:
        """C501: the first never gets an answer, so the second never gets its turn."""
        client = AsyncHTTPClient(force_instance=True, max_clients=1)
        with contextlib.closing(client), silent_server() as address:
            first = asyncio.ensure_future(client.fetch(address, request_timeout=60))
            with self.assertRaisesRegex(HTTPTimeoutError, "Timeout in request queue"):
                await client.fetch(address, request_timeout=0.05)
            self.assertFalse(first.done())
            first.cancel()
            await asyncio.wait([first])


class HalfHandler(tornado.web.RequestHandler):
    async def get(self) -> None:
        answer = asyncio.Event()
        asyncio.get_running_loop().call_later(0.6 * QUEUE_LIMIT, answer.set)
        await answer.wait()


class QueueTest(RoutesHTTPTestCase):
    routes = (("/", HalfHandler),)

    @gen_test
    async def test_after_the_queue_the_time_limit_begins_again(self) -> None:
        """C501: the second request succeeds, although it takes longer than its limit."""
        client = AsyncHTTPClient(force_instance=True, max_clients=1)
        with contextlib.closing(client):
            began = self.io_loop.time()
            url = self.get_url("/")
            asking = [client.fetch(url, request_timeout=QUEUE_LIMIT) for _ in range(2)]
            self.assertEqual([each.code for each in await asyncio.gather(*asking)], [200, 200])
            self.assertGreater(self.io_loop.time() - began, QUEUE_LIMIT)
