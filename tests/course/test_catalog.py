"""Lessons, scripts and exercises are found by their place, and close names are offered."""

from pathlib import Path

import pytest

from course.catalog import Catalog, CatalogError, Script, UnknownNameError
from tests.course.sample_course import make_course, write


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return Catalog(make_course(tmp_path))


@pytest.mark.parametrize("text", ["01", "1", "001", "01_hello", "hello", "Hello", "01/"])
def test_a_lesson_has_many_spellings(catalog: Catalog, text: str) -> None:
    assert catalog.lesson(text).name == "01_hello"


def test_the_path_of_its_folder_is_a_lesson_too(catalog: Catalog) -> None:
    for text in ("lessons/01_hello", "my_work/01_hello/"):
        assert catalog.select_exercises(text) == catalog.select_exercises("01")
    with pytest.raises(UnknownNameError, match=r'is called "/tmp/nothing\.py"'):
        catalog.find_runnable("/tmp/nothing.py")


@pytest.mark.parametrize(
    ("text", "offer"),
    [
        ("helo", "Did you mean 01_hello?"),
        ("02_optoins", "Did you mean 02_options?"),
        ("", "There is: 01_hello, 02_options."),
        ("../01_hello", "Did you mean 01_hello?"),
    ],
)
def test_an_unknown_lesson_offers_the_closest(catalog: Catalog, text: str, offer: str) -> None:
    with pytest.raises(UnknownNameError) as raised:
        catalog.lesson(text)
    assert str(raised.value) == f'No lesson is called "{text}". {offer}'


@pytest.mark.parametrize("text", ["7", "07", "77", "0"])
def test_an_unknown_number_names_the_lessons_that_there_are(catalog: Catalog, text: str) -> None:
    number = text.lstrip("0") or "0"
    sentence = f"There is no lesson {number}. The lessons are 01 to 02."
    for find in (catalog.lesson, catalog.find_runnable, catalog.select_exercises, catalog.notebook):
        with pytest.raises(UnknownNameError) as raised:
            find(text)
        assert str(raised.value) == sentence


def test_a_name_in_a_lesson_is_no_lesson(catalog: Catalog) -> None:
    with pytest.raises(UnknownNameError, match="1/app is more than a lesson: write only 01"):
        catalog.lesson("1/app")


def test_an_unknown_script_offers_the_closest(catalog: Catalog) -> None:
    with pytest.raises(UnknownNameError, match=r"Did you mean 01/zebra\?"):
        catalog.find_runnable("01/zbra")


def test_an_unknown_exercise_offers_the_closest(catalog: Catalog) -> None:
    with pytest.raises(UnknownNameError, match=r"Did you mean 01/greeting\?"):
        catalog.select_exercises("01/greetings")


def test_a_lesson_without_exercises_says_so(catalog: Catalog) -> None:
    with pytest.raises(UnknownNameError, match="02_options has no exercises"):
        catalog.select_exercises("02")


def test_scripts_come_in_the_order_of_the_readme_app_first(catalog: Catalog) -> None:
    scripts = catalog.lesson("01").scripts
    assert [script.label for script in scripts] == ["01/app", "01/zebra", "01/apple"]
    assert scripts[1].summary == "The zebra."


def test_a_lesson_alone_means_its_app(catalog: Catalog) -> None:
    assert (
        catalog.find_runnable("01")
        == catalog.find_runnable("1/app")
        == catalog.find_runnable("hello/app.py")
    )


def test_what_is_added_on_disk_is_found(catalog: Catalog, tmp_path: Path) -> None:
    write(tmp_path / "lessons" / "03_new" / "first.py", '"""A first script."""')
    write(tmp_path / "lessons" / "03_new" / "README.md", "# Something new")
    assert [lesson.title for lesson in catalog.lessons] == [
        "Hello, Tornado",
        "options",
        "Something new",
    ]
    added = catalog.find_runnable("new/first")
    assert isinstance(added, Script)
    assert added.path.exists()


def test_a_script_in_the_middle_of_a_change_is_still_listed(
    catalog: Catalog, tmp_path: Path
) -> None:
    write(tmp_path / "lessons" / "01_hello" / "zebra.py", '"""Stripes."""\ndef (')
    assert "01/zebra" in [script.label for script in catalog.lesson("01").scripts]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("[[exercise", "exercises.toml"), ("[[exercise]]\nname = 'x'", "an exercise has no 'title'")],
)
def test_broken_exercises_are_named(
    catalog: Catalog, tmp_path: Path, text: str, complaint: str
) -> None:
    write(tmp_path / "lessons" / "01_hello" / "exercises" / "exercises.toml", text)
    with pytest.raises(CatalogError, match=complaint):
        catalog.select_exercises("01")


def test_a_notebook_goes_by_its_lesson_or_its_own_name(catalog: Catalog, tmp_path: Path) -> None:
    write(tmp_path / "notebooks" / "capstone_chat.ipynb", "{}")
    assert catalog.notebook("1").name == "01_hello.ipynb"
    assert catalog.notebook("capstone_chat").name == "capstone_chat.ipynb"
    with pytest.raises(UnknownNameError, match="02_options has no notebook yet"):
        catalog.notebook("02")
