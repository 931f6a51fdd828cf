"""Lesson 10: each stage does what it adds, and the pages show the diffs that there are."""

import re
import sys
from unittest import mock

import pytest
import tornado.web
from tornado.testing import AsyncHTTPTestCase

from course.catalog import Catalog, Stage
from course.pages import Block, blocks
from course.stages import StageResult, check_stage, diff_files, source_files
from course.testing.chat_stage import Person, StageCase
from tests.support.lesson_case import import_script
from tests.support.lesson_pages import ROOT

LESSON = ROOT / "lessons" / "10_build_the_chat"
STAGES = Catalog(ROOT).lesson("10").stages
PAGES = [stage.folder / "README.md" for stage in STAGES]
DIFFS = [block for page in PAGES for block in blocks(page) if block.kind == "diff"]

each_stage = pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.folder.name)
each_later_stage = pytest.mark.parametrize("stage", STAGES[1:], ids=lambda stage: stage.folder.name)


def told(result: StageResult) -> str:
    """Everything that a learner would read."""
    return "\n".join([result.problem, *(failure.traceback for failure in result.failures)])


def test_there_are_ten_stages() -> None:
    assert [stage.label for stage in STAGES] == [f"10/{number}" for number in range(1, 11)]


@each_stage
def test_a_stage_passes_its_tests_and_those_of_the_stages_before(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FRAME_TIMEOUT", "ASYNC_TEST_TIMEOUT"):
        monkeypatch.setenv(name, "30")  # seconds: other tests run at the same time
    result = check_stage(stage, stage.folder)
    assert result.passed, told(result)


@each_later_stage
def test_the_stage_before_fails_each_test_of_a_stage(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stage.previous
    monkeypatch.setenv("FRAME_TIMEOUT", "0.4")  # seconds: most of them wait in vain
    own = Stage(**vars(stage) | {"tests": stage.tests[-1:]})
    result = check_stage(own, stage.previous)
    assert not result.problem
    names = set(re.findall(r"def (test_\w+)", stage.tests[-1].read_text(encoding="utf-8")))
    assert {failure.test for failure in result.failures} == names


def whole_diff(stage: Stage, file: str) -> str:
    """The diff of a file from the stage before, with all lines that stay."""
    diffs = dict(diff_files(stage.previous, stage.folder, context=100_000))
    return "".join(f"{line}\n" for line in diffs[file][2:] if not line.startswith("@@"))


@pytest.mark.parametrize("block", DIFFS, ids=str)
def test_a_diff_of_a_page_is_a_part_of_the_diff(block: Block) -> None:
    stage = next(stage for stage in STAGES if stage.folder == block.page.parent)
    assert f"\n{block.text}" in "\n" + whole_diff(stage, block.source), block.source
    assert re.search("^[+-]", block.text, re.M), "nothing changes in these lines"


@each_later_stage
def test_a_page_lists_the_files_that_change_with_the_number_of_lines(stage: Stage) -> None:
    prose = (stage.folder / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([\w/.]+)` \| (\+\d+ -\d+) \| .+ \|$", prose, re.M)
    expected = [
        (name, f"+{count(lines[2:], '+')} -{count(lines[2:], '-')}")
        for name, lines in diff_files(stage.previous, stage.folder)
    ]
    assert listed == expected


@each_later_stage
def test_a_page_names_each_function_and_class_of_the_change(stage: Stage) -> None:
    prose = (stage.folder / "README.md").read_text(encoding="utf-8")
    diff = "\n".join(
        line for _, lines in diff_files(stage.previous, stage.folder) for line in lines
    )
    defined = re.findall(r"^\+ *(?:async )?(?:def|class|function) (\w+)", diff, re.M)
    names = set(defined) - {"get", "post", "put"}
    assert names
    assert {name for name in names if not re.search(rf"\b{name}\b", prose)} == set()


@each_later_stage
def test_a_stage_adds_at_most_two_hundred_lines(stage: Stage) -> None:
    changes = diff_files(stage.previous, stage.folder)
    added = [line for _, lines in changes for line in lines[2:] if line.startswith("+")]
    assert len([line for line in added if line.strip("+ ")]) <= 200  # without blank lines


def test_the_last_stage_is_small() -> None:
    lines = "\n".join(source_files(STAGES[-1].folder).values()).splitlines()
    assert len([line for line in lines if line.strip()]) <= 1550


def count(lines: list[str], sign: str) -> int:
    """How many lines of a diff are added or removed."""
    return sum(line.startswith(sign) for line in lines)


def test_the_style_sheet_is_the_same_in_all_stages() -> None:
    assert len({source_files(stage.folder)["static/style.css"] for stage in STAGES}) == 1


def test_each_page_names_the_commands_of_its_stage() -> None:
    for stage, page in zip(STAGES, PAGES, strict=True):
        prose = page.read_text(encoding="utf-8")
        assert f"python3 learn.py start {stage.label}\n" in prose
        assert f"python3 learn.py check {stage.label}\n" in prose


@each_later_stage
def test_a_page_says_what_the_tests_expect(stage: Stage) -> None:
    prose = (stage.folder / "README.md").read_text(encoding="utf-8")
    expected = prose.partition("\n## What the tests expect\n")[2].partition("\n## ")[0]
    assert expected
    routes = re.findall(r'\(r"(/[^"]*)"', (stage.folder / "app.py").read_text(encoding="utf-8"))
    for path in re.findall(r"(?:GET|POST|PUT) (/[^`?]*)", expected):
        example = re.sub(r"\b(ID|USER)\b", "1", path)
        assert any(re.fullmatch(route, example) for route in routes), path


def test_the_minutes_of_the_table_are_those_of_the_pages() -> None:
    readme = (LESSON / "README.md").read_text(encoding="utf-8")
    for stage, page in zip(STAGES, PAGES, strict=True):
        found = re.search(r"This stage takes about (\d+) minutes", page.read_text("utf-8"))
        assert found
        row = rf"^\| \[{stage.number}\]\({stage.folder.name}/README\.md\) .* \| {found[1]} \|$"
        assert re.search(row, readme, re.M), row


def test_each_reading_task_has_a_test_that_is_there() -> None:
    prose = (LESSON / "PRODUCTION.md").read_text(encoding="utf-8")
    assert len(re.findall(r"^### \d+\. ", prose, re.M)) == 10
    commands = re.findall(r"^python3 learn\.py test (\S+) -k (\w+)$", prose, re.M)
    assert len(set(commands)) == 10
    for file, name in commands:
        assert re.search(rf"def {name}\(", (ROOT / file).read_text(encoding="utf-8")), name


def test_the_map_names_each_file_of_the_last_stage() -> None:
    prose = (LESSON / "PRODUCTION.md").read_text(encoding="utf-8")
    names = [name for name in source_files(STAGES[-1].folder) if "/" not in name]
    assert not [name for name in names if f"| `{name}`" not in prose and name != "errors.py"]


class FinishedChatTest(AsyncHTTPTestCase):
    def get_app(self) -> tornado.web.Application:
        with mock.patch.object(sys, "path", [*sys.path]):
            app = import_script(LESSON.name, "app").make_app()
        for name, module in [*sys.modules.items()]:  # other lessons have modules of these names
            if str(LESSON) in str(getattr(module, "__file__", "")):
                del sys.modules[name]
        self.addCleanup(app.settings["database"].close)
        return app

    def test_it_asks_for_a_login(self) -> None:
        """C311: `learn.py run 10` starts the chat of the last stage."""
        response = self.fetch("/", follow_redirects=False)
        self.assertEqual(response.headers["Location"], "/login?next=%2F")
        self.assertIn(b'name="captcha"', self.fetch("/login").body)


class LongNameTest(StageCase):
    folder = STAGES[-1].folder

    def test_a_long_name_is_no_long_key_of_the_limit(self) -> None:
        Person(self, "Eve").login(name="a" * 100_000)
        ((_, name),) = self._app.settings["limits"]["login"].buckets
        self.assertLess(len(name), 100)
