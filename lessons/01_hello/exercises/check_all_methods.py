"""Notes over HTTP: 201 with Location, 204, 404, 409, and an Allow that is true."""

from urllib.parse import urljoin

from course.testing.http import ExerciseCase, Mismatch

POST = "NotesHandler: add a method post(); it reads the fields name and text of the form"
CREATED = "post(): a new note is 201: self.set_status(201)"
LOCATION = 'post(): self.set_header("Location", ...) with the path of the new note'
CONFLICT = "post(): if a note has this name, first of all raise tornado.web.HTTPError(409)"
KEPT = "post(): the 409 must leave the stored note as it was"
PUT = "NoteHandler: add a method put(self, name); it reads the field text of the form"
NEW = "put(): look whether the name is in the notes BEFORE you store the text"
REPLACED = "put(): a note that existed is replaced: 204, without a body"
STORED = "put(): store the text in the notes under the name from the path"
NO_TEXT = "put(): get_body_argument without a default answers 400 if the field is missing"
DELETE = "NoteHandler: add a method delete(self, name)"
DELETED = "delete(): the note is deleted: 204, without a body"
GONE = "delete(): remove the note; a name without a note is 404"
OPTIONS = "NoteHandler: add a method options(self, name): status 204 and the header Allow"
ALLOW = "options(): Allow names each method that the handler has, with commas between them"


class AllMethods(ExerciseCase):
    def test_post_adds_a_note_and_says_where_it_is(self) -> None:
        answer = self.send("POST", "/notes", form={"name": "two", "text": "Call Ada"})
        answer.expect(status=201, advice=POST if answer.status == 405 else CREATED)
        leads_to = urljoin(self.get_url("/notes"), answer.headers.get("Location", ""))
        if leads_to != self.get_url("/notes/two"):
            answer.expect(headers={"Location": "/notes/two"}, advice=LOCATION)
        self.send("GET", "/notes/two").expect(status=200, text="Call Ada", advice=POST)

    def test_post_of_an_existing_name_is_a_conflict(self) -> None:
        answer = self.send("POST", "/notes", form={"name": "one", "text": "Something else"})
        answer.expect(status=409, advice=POST if answer.status == 405 else CONFLICT)
        self.send("GET", "/notes/one").expect(text="Buy milk", advice=KEPT)

    def test_put_creates_and_replaces(self) -> None:
        answer = self.send("PUT", "/notes/three", form={"text": "Sleep"})
        answer.expect(status=201, advice=PUT if answer.status == 405 else NEW)
        answer = self.send("PUT", "/notes/three", form={"text": "Sleep well"})
        answer.expect(status=204, body="", advice=REPLACED)
        self.send("GET", "/notes/three").expect(status=200, text="Sleep well", advice=STORED)

    def test_put_without_a_text_is_400_and_changes_nothing(self) -> None:
        answer = self.send("PUT", "/notes/one", form={"note": "x"})
        answer.expect(status=400, advice=PUT if answer.status == 405 else NO_TEXT)
        self.send("GET", "/notes/one").expect(text="Buy milk", advice=NO_TEXT)

    def test_delete_deletes_once(self) -> None:
        answer = self.send("DELETE", "/notes/one")
        answer.expect(status=204, body="", advice=DELETE if answer.status == 405 else DELETED)
        self.send("GET", "/notes/one").expect(status=404, advice=GONE)
        self.send("DELETE", "/notes/one").expect(status=404, advice=GONE)

    def test_options_names_the_methods(self) -> None:
        answer = self.send("OPTIONS", "/notes/one").expect(status=204, body="", advice=OPTIONS)
        allow = answer.headers.get("Allow", "")
        names = {name.strip() for name in allow.split(",")}
        wanted = {"GET", "PUT", "DELETE", "OPTIONS"}
        # HEAD, for example, may be in it if the handler answers it.
        untrue = {
            name for name in names - wanted if self.send(name or "X", "/notes/one").status == 405
        }
        if not wanted <= names or untrue:
            raise Mismatch(
                sent=answer.sent,
                received=f"Allow: {allow}",
                expected="Allow: DELETE, GET, OPTIONS, PUT",
                advice=ALLOW,
            )
