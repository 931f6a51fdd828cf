"""The HTTP part of the tour: its pages, and the API that they call."""

import base64
import binascii

import tornado.web

from course.catalog import Exercise
from course.checking.session import next_hint
from course.tour import files, text
from course.tour.access import ApiHandler, Refused, TourHandler, refusals, text_field
from course.tour.requests import read_headers, send_request


class PageHandler(TourHandler):
    """A page of the tour. It holds nothing secret, so it needs no token."""

    def get(self, address: str) -> None:
        try:
            page = text.page(self.tour.catalog, address, self.tour.progress.read())
        except text.UnknownAddressError:
            self.set_status(404)
            self.finish(text.render_other("not_found.html", "No such page", tour=True))
            return
        self.finish(text.render(self.tour.catalog, page))


class StaticHandler(tornado.web.StaticFileHandler, TourHandler):
    """The scripts and styles of the pages."""

    def set_extra_headers(self, path: str) -> None:
        self.set_header("Cache-Control", "no-cache")


class NotFoundHandler(TourHandler):
    """Everything else."""

    def prepare(self) -> None:
        super().prepare()
        raise Refused(404, "The tour has no such address.")


class UnknownCallHandler(ApiHandler):
    """A call that the API does not have."""

    def prepare(self) -> None:
        super().prepare()
        raise Refused(404, "The tour has no such call.")


class TokenHandler(TourHandler):
    """POST /api/token: the token for the one-time code."""

    def post(self) -> None:
        code = text_field(self.body(), "code")
        token = self.tour.access.exchange(code)
        if token is None:
            raise Refused(
                403,
                "This address was used already, or is an old one. "
                "Press Enter in the terminal of the tour for a new one.",
            )
        self.finish({"token": token})


class CourseHandler(ApiHandler):
    """GET /api/course: all places of the course with their state, and where to go on."""

    def get(self) -> None:
        self.finish(self.tour.describe_course())


class VisitedHandler(ApiHandler):
    """POST /api/visited: where the learner is."""

    def post(self) -> None:
        address = text_field(self.body(), "address")
        if not text.outline(self.tour.catalog).has(address):
            raise Refused(404, "The tour has no such page.")
        self.tour.visits.add(address)
        self.set_status(204)
        self.finish()


class SessionHandler(ApiHandler):
    """POST /api/session/ID/N: run a command of a page."""

    async def post(self, session_id: str, index: str) -> None:
        with refusals():
            result = await self.tour.commands.run(session_id, int(index))
        self.finish(result)


class FileBaseHandler(ApiHandler):
    """Base of the calls that answer with a file."""

    def finish_file(self, state: files.FileState) -> None:
        """Answer with the content of a file."""
        self.set_header("ETag", state.etag)
        self.finish(state.fields(self.tour.catalog.root))

    def compute_etag(self) -> str | None:
        """Leave the ETag to the methods: it is that of the file, not that of the JSON."""
        return None


class FileHandler(FileBaseHandler):
    """GET and PUT /api/file/ID: a file of the editor."""

    async def get(self, file_id: str) -> None:
        with refusals():
            file = files.find_file(self.tour.catalog, file_id)
            self.finish_file(await self.tour.in_thread(files.read, file))
        if file.exercise:
            self.tour.checks.prepare()

    async def put(self, file_id: str) -> None:
        given = text_field(self.body(), "text")
        etag = self.request.headers.get("If-Match")
        if etag is None:
            raise Refused(428, "If-Match must name the version that this one replaces.")
        with refusals():
            file = files.find_file(self.tour.catalog, file_id)
            etag = await self.tour.in_thread(files.save, file, given, etag)
        self.set_header("ETag", etag)
        self.finish({"etag": etag})


class CopyHandler(FileBaseHandler):
    """POST /api/copy/ID: the copy of a script that the learner can change."""

    async def post(self, file_id: str) -> None:
        with refusals():
            file = files.find_file(self.tour.catalog, file_id)
            await self.tour.in_thread(self.change, file)
            self.finish_file(await self.tour.in_thread(files.read, file))

    def change(self, file: files.CourseFile) -> None:
        """Make the copy."""
        files.make_copy(file)


class ResetHandler(CopyHandler):
    """POST /api/reset/ID: the original again; the learner's version is kept beside it."""

    def change(self, file: files.CourseFile) -> None:
        """Put the original back; an exercise is to be solved again."""
        files.reset(file)
        if file.exercise:
            self.tour.progress.write(file.exercise.key, None)


class ExerciseHandler(ApiHandler):
    """Base of the calls for an exercise."""

    def exercise(self, label: str) -> Exercise:
        """Return the exercise of a label.

        Raises:
            Refused: there is none.
        """
        with refusals():
            found = files.find_file(self.tour.catalog, f"exercise:{label}").exercise
        assert found  # noqa: S101
        return found


class CheckHandler(ExerciseHandler):
    """POST /api/check/LABEL: start a check; its results come by the socket."""

    def post(self, label: str) -> None:
        self.tour.checks.start(self.exercise(label))
        self.set_status(202)
        self.finish({})


class HintHandler(ExerciseHandler):
    """POST /api/hint/LABEL: the next hint."""

    def post(self, label: str) -> None:
        exercise = self.exercise(label)
        number = next_hint(exercise, self.tour.progress)
        hint = exercise.hints[number - 1]
        self.finish({"number": number, "of": len(exercise.hints), "text": hint})


class SolutionHandler(ExerciseHandler):
    """GET /api/solution/LABEL: a solution, after a try or with ?anyway=1."""

    def get(self, label: str) -> None:
        exercise = self.exercise(label)
        tries = self.tour.progress.get(exercise.key).tries
        if not tries and self.get_query_argument("anyway", "") != "1":
            raise Refused(409, "Try it first: change the file, and check it.")
        self.finish({"text": exercise.solution.read_text(encoding="utf-8")})


class RequestHandler(ApiHandler):
    """POST /api/request: send a request to a running script."""

    async def post(self) -> None:
        fields = self.body()
        run = self.tour.supervisor.runs.get(text_field(fields, "run"))
        if run is None:
            raise Refused(404, "There is no such run any more.")
        body = text_field(fields, "body", "")
        try:
            data = base64.b64decode(body, validate=True) if fields.get("base64") else body.encode()
        except (binascii.Error, UnicodeEncodeError):
            raise Refused(400, "The body is not valid.") from None
        method, path = text_field(fields, "method", "GET"), text_field(fields, "path")
        with refusals():
            headers = read_headers(fields.get("headers", []))
            answer = await send_request(run, method, path, headers, data)
        self.finish(answer)
