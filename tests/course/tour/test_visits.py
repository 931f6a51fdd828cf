"""Where the learner was: recorded by the page, read by the map."""

import json

from tornado.testing import gen_test

from tests.course.tour.tour_case import TourCase


class VisitsTest(TourCase):
    async def where_to_go_on(self) -> str | None:
        """Return the address with which the map offers to go on."""
        response = await self.call("/api/course")
        found: str | None = json.loads(response.body)["continue"]
        return found

    @gen_test
    async def test_an_unknown_page_leads_to_the_map(self) -> None:
        response = await self.call("/77")
        self.assertEqual(response.code, 404)
        self.assertIn(b'<a href="/">map</a>', response.body)

    @gen_test
    async def test_the_page_that_was_opened_last_is_at_the_end(self) -> None:
        pages = ["/exercise/01/greeting", "/exercise/01/farewell", "/exercise/01/greeting"]
        for address in pages:
            response = await self.call("/api/visited", {"address": address}, method="POST")
            self.assertEqual(response.code, 204, response.body)
        self.assertEqual(await self.where_to_go_on(), pages[-1])
        self.assertEqual(self.tour.visits.read(), pages[1:])

    @gen_test
    async def test_an_address_of_no_page_is_refused(self) -> None:
        for address in ("/nothing", "", "//elsewhere", "/../x"):
            response = await self.call("/api/visited", {"address": address}, method="POST")
            self.assertEqual(response.code, 404, address)
        self.assertEqual(self.tour.visits.read(), [])

    @gen_test
    async def test_a_damaged_file_counts_as_empty(self) -> None:
        for text in ("", "[]", '{"visited": 1}', "{", '{"visited": [1, null]}'):
            (self.folder / ".tour.json").write_text(text, encoding="utf-8")
            self.assertEqual(self.tour.visits.read(), [], text)
