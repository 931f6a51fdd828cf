"""The weather of the other service arrives as JSON, and a failure of that service is a 502."""

import asyncio
from typing import ClassVar

import tornado.web
from tornado.testing import gen_test

from course.testing.http import ExerciseCase

AWAIT = (
    "async def get(self), and in it: response = await AsyncHTTPClient().fetch(url). There is no\n"
    "callback any more, and no finish(): the request ends when get() returns"
)
DICT = '{"ret:0"} is a set with one string. Write a dictionary: {"ret": 0, "text": weather["text"]}'
ENCODE = 'url_concat(self.settings["upstream"] + "/weather", {"city": city}) encodes the city'
FAILURE = (
    "fetch() raises an exception when the service fails, so response.error is never reached.\n"
    "except (HTTPClientError, OSError): raise tornado.web.HTTPError(502)"
)
MANY = "The requests must not wait for each other: await the fetch, and use no client that blocks"
MISSING = 'get_query_argument("city") answers 400 if there is no city: leave it outside of the try'


class UpstreamHandler(tornado.web.RequestHandler):
    """The other service. "Twins" is answered when two requests for it are there."""

    twins: ClassVar[asyncio.Barrier]

    async def get(self) -> None:
        city = self.get_query_argument("city")
        if city == "Atlantis":
            raise tornado.web.HTTPError(404)
        if city == "Nowhere":
            self.request.connection.stream.close()  # type: ignore[attr-defined]
            return
        if city == "Twins":
            await self.twins.wait()
        self.write({"text": f"cloudy in {city}"})


class OldFetch(ExerciseCase):
    response_timeout = 1.0

    def get_app(self) -> tornado.web.Application:
        UpstreamHandler.twins = asyncio.Barrier(2)
        app = self.make_app("http://localhost:1")
        app.add_handlers(".*", [(r"/upstream/weather", UpstreamHandler)])
        return app

    def setUp(self) -> None:
        super().setUp()
        self._app.settings["upstream"] = self.get_url("/upstream")

    def test_the_weather_arrives_as_json(self) -> None:
        answer = self.send("GET", "/weather?city=Paris")
        advice = MANY if answer.status is None else f"{AWAIT}.\n{DICT}"
        answer.expect(status=200, advice=advice)
        answer.expect(json={"ret": 0, "text": "cloudy in Paris"}, advice=DICT)

    def test_any_name_reaches_the_service(self) -> None:
        answer = self.send("GET", "/weather?city=K%C3%B6ln+%26+Bonn").expect(
            status=200, advice=ENCODE
        )
        answer.expect(json={"ret": 0, "text": "cloudy in Köln & Bonn"}, advice=ENCODE)

    def test_a_service_that_fails_is_a_502(self) -> None:
        for city in ("Atlantis", "Nowhere"):
            self.send("GET", f"/weather?city={city}").expect(status=502, advice=FAILURE)

    def test_no_city_is_a_400(self) -> None:
        self.send("GET", "/weather").expect(status=400, advice=MISSING)

    @gen_test
    async def test_requests_do_not_wait_for_each_other(self) -> None:
        requests = (self.request("GET", "/weather?city=Twins") for _ in range(2))
        for answer in await asyncio.gather(*requests):
            answer.expect(status=200, advice=MANY)
