"""Stages: start from the stage before, check, show the change, start again."""

from pathlib import Path

import pytest

from course.catalog import Catalog, UnknownNameError
from course.progress import Progress
from course.stages import check_stage
from course.testing.chat_stage import describe_frames
from tests.course.processes import course, running_course
from tests.course.sample_course import make_course, write
from tests.support.checkout import read_until

LESSON = Path("lessons", "10_build")
WORK = Path("my_work", "10_build", "stage_02")
APP = '''
"""Stage {number}: says {text}."""

import tornado.web


class Hello(tornado.web.RequestHandler):
    def get(self):
        self.write("{text}")


def make_app():
    return tornado.web.Application([("/", Hello)])
'''
TEST = """
from course.testing.chat_stage import StageCase


class HelloTest(StageCase):
    def test_it_says_{word}(self):
        self.assertIn("{word}", self.fetch("/").body.decode())
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    make_course(tmp_path)
    for number, text, word in ((1, "hello", "hello"), (2, "hello world", "world")):
        folder = tmp_path / LESSON / f"stage_0{number}"
        write(folder / "app.py", APP.format(number=number, text=text).lstrip())
        write(folder / "test_stage.py", TEST.format(word=word))
        write(folder / "README.md", f"# Stage {number}")
    write(tmp_path / LESSON / "stage_01" / "chat.db", "data of the stage before")
    return tmp_path


@pytest.mark.parametrize(
    "text", ["10/2", "10/02", "build/2", "10/stage_02", "lessons/10_build/stage_02/app.py"]
)
def test_a_stage_has_many_spellings(root: Path, text: str) -> None:
    stage = Catalog(root).find_stage(text)
    assert stage
    assert stage.label == "10/2"


@pytest.mark.parametrize("text", ["10", "01/greeting", "01/2", "2", "10/app", "9/2"])
def test_other_names_are_no_stages(root: Path, text: str) -> None:
    assert Catalog(root).find_stage(text) is None


def test_an_unknown_stage_names_those_that_there_are(root: Path) -> None:
    with pytest.raises(UnknownNameError, match="10_build has the stages 10/1 to 10/2"):
        Catalog(root).find_stage("10/3")


def test_stages_are_scripts_that_can_be_run(root: Path) -> None:
    catalog = Catalog(root)
    script = catalog.find_runnable("10/2")
    assert script.label == "10/2"
    assert "10/2  Stage 2: says hello world." in course(root, "list", "10").output
    mine = catalog.find_runnable("my_work/10_build/stage_02")
    assert getattr(mine, "path", None) == root / WORK / "app.py"


def test_start_copies_the_stage_before_without_its_data_and_tests(root: Path) -> None:
    started = course(root, "start", "10/2")
    assert started.exit_code == 0
    assert "check 10/2" in started.output
    assert [path.name for path in (root / WORK).iterdir()] == ["app.py"]
    before = (root / LESSON / "stage_01" / "app.py").read_text("utf-8")
    assert (root / WORK / "app.py").read_text("utf-8") == before
    assert "was there already" in course(root, "start", "10/2").output


def test_check_runs_the_tests_of_all_stages_up_to_this_one(root: Path) -> None:
    failed = course(root, "check", "10/2")
    assert failed.exit_code == 1
    assert "stage 2: test_it_says_world" in failed.output
    assert '    line 7: self.assertIn("world", self.fetch("/").body.decode())' in failed.output
    assert "    AssertionError: 'world' not found in 'hello'\n" in failed.output
    assert "1 of 2 tests pass" in failed.output
    assert "stage_01" not in failed.output
    write(root / WORK / "app.py", (root / LESSON / "stage_02" / "app.py").read_text("utf-8"))
    passed = course(root, "check", "10/2")
    assert passed.exit_code == 0
    assert "2 of 2 tests pass" in passed.output
    assert Progress(root / ".progress.json").get("10_build/stage_02").solved


def test_watch_checks_a_stage_at_every_save_until_it_passes(root: Path) -> None:
    with running_course(root, "watch", "10/2") as process:
        started = read_until(process, "Waiting for you")
        assert str(WORK) in started
        assert "1 of 2 tests pass" in started
        write(root / WORK / "notes.txt", "no file of the program: no check")
        write(root / WORK / "app.py", APP.format(number=2, text="world").lstrip())
        assert "stage 1: test_it_says_hello" in read_until(process, "Waiting for you")
        write(root / WORK / "app.py", APP.format(number=2, text="hello world").lstrip())
        assert "2 of 2 tests pass" in process.communicate(timeout=30)[0]
        assert process.returncode == 0


def test_check_names_the_test_file_of_each_stage_that_fails(root: Path) -> None:
    write(root / WORK / "app.py", APP.format(number=2, text="world").lstrip())
    failed = course(root, "check", "10/2")
    assert str(LESSON / "stage_01" / "test_stage.py") in failed.output
    assert str(LESSON / "stage_02" / "test_stage.py") not in failed.output


def test_of_many_frames_the_last_one_is_reported() -> None:
    frames: list[dict[str, object]] = [{"seq": number} for number in range(1, 5)]
    assert describe_frames(frames) == '4 frames, the last of them {"seq": 4}'
    assert describe_frames(frames[:2]) == '{"seq": 1}, {"seq": 2}'


def test_a_program_that_does_not_load_is_a_problem_with_its_traceback(root: Path) -> None:
    write(root / WORK / "app.py", "def (")
    failed = course(root, "check", "10/2")
    assert failed.exit_code == 1
    assert "SyntaxError" in failed.output


def test_what_a_program_prints_does_not_matter(root: Path) -> None:
    stage = Catalog(root).lesson("10").stages[0]
    write(root / LESSON / "stage_01" / "app.py", APP.format(number=1, text="hello") + "print(1)\n")
    assert check_stage(stage, stage.folder).passed


def test_hint_names_the_files_and_solution_shows_the_diff(root: Path) -> None:
    assert "app.py  +2  -2" in course(root, "hint", "10/2").output
    shown = course(root, "solution", "10/2").output
    assert '-        self.write("hello")\n+        self.write("hello world")\n' in shown


def test_reset_keeps_the_learners_version(root: Path) -> None:
    course(root, "start", "10/2")
    write(root / WORK / "app.py", "mine")
    assert "stage_02.bak1" in course(root, "reset", "10/2").output
    assert (root / WORK / "app.py").read_text("utf-8").startswith('"""Stage 1')
    assert (root / WORK.parent / "stage_02.bak1" / "app.py").read_text("utf-8") == "mine"
