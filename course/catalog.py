"""The catalog of the course on disk: lessons, their scripts, exercises and notebooks.

Everything is found by its place in the checkout, so that adding a lesson, a script or an exercise
needs no change here:

    lessons/01_hello/routing.py                     a script, called 01/routing
    lessons/01_hello/exercises/exercises.toml       its exercises, called 01/NAME
    notebooks/01_hello.ipynb                        its notebook
    my_work/01_hello/greeting.py                    the learner's copy of a stub
    lessons/10_build_the_chat/stage_04/app.py       a stage of a program that is built, called 10/4
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, TypeVar

from course.translation import translate

# A docstring in triple quotes, after blank lines and comments, to the end of its first line.
DOCSTRING = re.compile(r'(?:[ \t]*(?:#.*)?\n)*[rR]?"""(.*?)(?:"""|\n|$)')


class UnknownNameError(LookupError):
    """No lesson, script or exercise has this name; the message offers the closest ones."""


class CatalogError(Exception):
    """A file of the course is missing or invalid; the message names the file and the error."""


@dataclass(frozen=True)
class Script:
    """A runnable file of a lesson."""

    lesson: str
    name: str
    path: Path

    @property
    def label(self) -> str:
        """The name for the command line, such as `01/routing`."""
        return f"{self.lesson.partition('_')[0]}/{self.name}"

    @property
    def summary(self) -> str:
        """The first line of the module's docstring, or ""."""
        # Parsing all scripts takes ten times as long as reading them.
        found = DOCSTRING.match(self.path.read_text(encoding="utf-8", errors="replace"))
        return found[1].strip() if found else ""


@dataclass(frozen=True)
class Exercise:
    """An entry of exercises.toml, with the paths of its files."""

    lesson: str
    name: str
    title: str
    goal: str
    stub: Path  # never edited, so that a reset works without version control too
    check: Path
    solution: Path
    work_file: Path  # the learner's copy of the stub, under my_work/
    hints: tuple[str, ...]
    concepts: tuple[str, ...]

    @property
    def key(self) -> str:
        """The name under which progress is stored, such as `01_hello/greeting`."""
        return f"{self.lesson}/{self.name}"

    @property
    def label(self) -> str:
        """The name for the command line, such as `01/greeting`."""
        return f"{self.lesson.partition('_')[0]}/{self.name}"


@dataclass(frozen=True)
class Stage:
    """One folder stage_NN of a lesson that builds a program in stages.

    Attributes:
        folder: the stage as it is shipped.
        previous: the stage before, from which the learner starts; None for the first one.
        work_folder: the learner's own, under my_work/.
        tests: the tests of all stages up to this one, those of this one last.
    """

    lesson: str
    number: int
    folder: Path
    previous: Path | None
    work_folder: Path
    tests: tuple[Path, ...]

    @property
    def key(self) -> str:
        """The name under which progress is kept, such as `10_build_the_chat/stage_04`."""
        return f"{self.lesson}/{self.folder.name}"

    @property
    def label(self) -> str:
        """The name to type, such as `10/4`."""
        return f"{self.lesson.partition('_')[0]}/{self.number}"

    @property
    def script(self) -> Script:
        """The program of the stage."""
        return Script(self.lesson, str(self.number), self.folder / "app.py")


@dataclass(frozen=True)
class Lesson:
    """A lesson: a folder of lessons/."""

    name: str
    folder: Path
    work_folder: Path

    @property
    def number(self) -> str:
        """The two digits at the beginning of the lesson's name, such as `01`."""
        return self.name.partition("_")[0]

    @cached_property
    def _readme(self) -> str:
        readme = self.folder / "README.md"
        return readme.read_text(encoding="utf-8") if readme.exists() else ""

    @property
    def title(self) -> str:
        """The heading of the README, or the name of the folder if there is none."""
        for line in self._readme.splitlines():
            if line.startswith("# "):
                return line[2:].strip()
        return self.name.partition("_")[2].replace("_", " ")

    @cached_property
    def scripts(self) -> tuple[Script, ...]:
        """The scripts in the order in which the README names them, app.py first."""

        def sort_key(path: Path) -> tuple[bool, int, str]:
            named = self._readme.find(path.name)
            return path.stem != "app", named if named >= 0 else len(self._readme), path.stem

        paths = sorted(self.folder.glob("*.py"), key=sort_key)
        scripts = [Script(self.name, path.stem, path) for path in paths]
        return (*scripts, *(stage.script for stage in self.stages))

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The stages, in order; most lessons have none."""
        folders = sorted(self.folder.glob("stage_[0-9][0-9]"))
        return tuple(
            Stage(
                lesson=self.name,
                number=number,
                folder=folder,
                previous=folders[number - 2] if number > 1 else None,
                work_folder=self.work_folder / folder.name,
                tests=tuple(each / "test_stage.py" for each in folders[:number]),
            )
            for number, folder in enumerate(folders, 1)
        )

    @cached_property
    def exercises(self) -> tuple[Exercise, ...]:
        """The exercises in the order of exercises.toml.

        Raises:
            CatalogError: exercises.toml cannot be parsed, or an entry lacks a key.
        """
        path = self.folder / "exercises" / "exercises.toml"
        if not path.exists():
            return ()
        try:
            entries = tomllib.loads(path.read_text(encoding="utf-8")).get("exercise", [])
            return tuple(self._exercise(path.parent, entry) for entry in entries)
        except tomllib.TOMLDecodeError as error:
            raise CatalogError(f"{path}: {error}") from error
        except KeyError as error:
            raise CatalogError(f"{path}: an exercise has no {error}") from error

    def _exercise(self, folder: Path, entry: dict[str, Any]) -> Exercise:
        return Exercise(
            lesson=self.name,
            name=entry["name"],
            title=entry["title"],
            goal=entry["goal"],
            stub=folder / entry["file"],
            check=folder / entry["check"],
            solution=folder / "solutions" / entry["file"],
            work_file=self.work_folder / entry["file"],
            hints=tuple(entry["hints"]),
            concepts=tuple(entry.get("concepts", ())),
        )


class Catalog:
    """The lessons and notebooks of one checkout of the course.

    Args:
        root: the checkout: the folder that holds lessons/, notebooks/ and my_work/.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def lessons(self) -> tuple[Lesson, ...]:
        """All lessons, in order."""
        return tuple(
            Lesson(
                name=folder.name,
                folder=folder,
                work_folder=self.root / "my_work" / folder.name,
            )
            for folder in sorted((self.root / "lessons").glob("[0-9][0-9]_*"))
            if folder.is_dir()
        )

    def exercises(self) -> Iterator[Exercise]:
        """Yield the exercises of all lessons, in order."""
        for lesson in self.lessons:
            yield from lesson.exercises

    def lesson(self, text: str) -> Lesson:
        """Return the lesson that `text` names: `01`, `1`, `01_hello` or `hello`.

        Raises:
            UnknownNameError: there is none; the message offers the closest.
        """
        wanted = text.strip("/").lower()
        wanted = f"{int(wanted):02}" if wanted.isdecimal() else wanted
        for lesson in self.lessons:
            if wanted in (lesson.name, lesson.number, lesson.name.partition("_")[2]):
                return lesson
        if (first := wanted.partition("/")[0]) != wanted and self.has_lesson(first):
            number = self.lesson(first).number
            raise UnknownNameError(
                translate(
                    "{text} is more than a lesson: write only {number}.", text=text, number=number
                )
            )
        if wanted.isdecimal() and self.lessons:
            raise self._no_such_number(wanted)
        spellings = {lesson.name.partition("_")[2]: lesson.name for lesson in self.lessons}
        spellings |= {lesson.name: lesson.name for lesson in self.lessons}
        raise _unknown_name("lesson", text, spellings, [lesson.name for lesson in self.lessons])

    def has_lesson(self, text: str) -> bool:
        """Return whether `text` names a lesson."""
        try:
            self.lesson(text)
        except UnknownNameError:
            return False
        return True

    def _no_such_number(self, number: str) -> UnknownNameError:
        return UnknownNameError(
            translate(
                "There is no lesson {number}. The lessons are {first} to {last}.",
                number=number.lstrip("0") or "0",
                first=self.lessons[0].number,
                last=self.lessons[-1].number,
            )
        )

    def _resolve(self, text: str) -> tuple[Lesson, str]:
        """Return the lesson that `text` names, and the name inside it or "" for the whole lesson.

        `text` is `01/NAME`, the path of a lesson or of a file in it, also below my_work/, or a NAME
        that only one lesson has.
        """
        text = text.replace("\\", "/")
        parts = Path(text).parts
        for lesson in self.lessons:
            if lesson.name in parts[:-1] and text.endswith(".py"):
                return lesson, parts[-1]
            if parts[-1:] == (lesson.name,):
                return lesson, ""
        first, slash, name = text.partition("/")
        try:
            return self.lesson(first), name
        except UnknownNameError:
            if slash and first:  # an empty first part: the path of a file that is in no lesson
                raise
            wanted = text.lower().removesuffix(".py")
            found = [
                lesson
                for lesson in self.lessons
                if wanted in {each.name for each in lesson.scripts}
                or wanted in {each.name for each in lesson.exercises}
            ]
            if len(found) == 1:
                return found[0], wanted
            if found:
                labels = translate(" or ").join(f"{lesson.number}/{wanted}" for lesson in found)
                raise UnknownNameError(
                    translate('"{text}" may be {labels}: write which.', text=text, labels=labels)
                ) from None
            raise self._no_such_name(text) from None

    def _no_such_name(self, text: str) -> UnknownNameError:
        if text.isdecimal() and self.lessons:
            return self._no_such_number(text)
        spellings: dict[str, str] = {}
        for lesson in self.lessons:
            spellings |= {script.name: script.label for script in lesson.scripts}
            spellings |= {exercise.name: exercise.label for exercise in lesson.exercises}
        spellings.pop("app", None)  # every lesson has one
        for lesson in self.lessons:
            spellings |= {lesson.name: lesson.name, lesson.name.partition("_")[2]: lesson.name}
        names = [lesson.name for lesson in self.lessons]
        return _unknown_name("lesson, script or exercise", text, spellings, names)

    def find_stage(self, text: str) -> Stage | None:
        """Return the stage that `text` means: `10/4`, `10/stage_04`, or the path of its folder.

        Returns:
            None if `text` does not name a stage of a lesson that has stages.

        Raises:
            UnknownNameError: the lesson has no stage of this number.
        """
        parts = text.replace("\\", "/").rstrip("/").removesuffix("/app.py").split("/")
        number = re.fullmatch(r"(?:stage_)?(\d{1,2})", parts[-1])
        if not number or len(parts) < 2:
            return None
        try:
            lesson = self.lesson(parts[-2])
        except UnknownNameError:
            return None
        for stage in lesson.stages:
            if stage.number == int(number[1]):
                return stage
        if not lesson.stages:
            return None
        raise UnknownNameError(
            translate(
                "{lesson} has the stages {first} to {last}.",
                lesson=lesson.name,
                first=lesson.stages[0].label,
                last=lesson.stages[-1].label,
            )
        )

    def find_runnable(self, text: str) -> Script | Exercise:
        """Return the script or exercise that `run` starts: `01` is app.py, `01/NAME` a script.

        A name of an exercise stands for the learner's work file, unless a script has that name. A
        path below my_work/ stands for the learner's copy of a stage.

        Raises:
            UnknownNameError: there is none; the message offers the closest.
        """
        if stage := self.find_stage(text):
            folder = stage.work_folder if "my_work" in text else stage.folder
            return Script(stage.lesson, str(stage.number), folder / "app.py")
        lesson, name = self._resolve(text)
        runnable: list[Script | Exercise] = [*lesson.scripts, *lesson.exercises]
        return _by_name(
            translate("script in {lesson}", lesson=lesson.name),
            name.removesuffix(".py") or "app",
            runnable,
        )

    def select_exercises(self, text: str) -> tuple[Lesson, Sequence[Exercise]]:
        """Return a lesson and the exercises that `text` names: all of `01`, or one with `01/NAME`.

        Raises:
            UnknownNameError: there is no such lesson or exercise, or the lesson has none.
        """
        lesson, name = self._resolve(text)
        if not lesson.exercises:
            raise UnknownNameError(translate("{name} has no exercises.", name=lesson.name))
        if not name:
            return lesson, lesson.exercises
        wanted = name.removesuffix(".py")
        return lesson, [
            _by_name(
                translate("exercise in {lesson}", lesson=lesson.name), wanted, lesson.exercises
            )
        ]

    def notebook(self, text: str) -> Path:
        """Return the notebook of the lesson that `text` names, or one by its own file name.

        Raises:
            UnknownNameError: there is none.
        """
        notebooks = {path.stem: path for path in sorted((self.root / "notebooks").glob("*.ipynb"))}
        name = text if text in notebooks else self.lesson(text).name
        if name not in notebooks:
            raise UnknownNameError(translate("{name} has no notebook yet.", name=name))
        return notebooks[name]


class _Named(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...


T = TypeVar("T", bound=_Named)


def _by_name(kind: str, wanted: str, items: Sequence[T]) -> T:
    for item in items:
        if item.name == wanted.lower():
            return item
    raise _unknown_name(
        kind, wanted, {item.name: item.label for item in items}, [t.label for t in items]
    )


def _unknown_name(
    kind: str, wanted: str, spellings: dict[str, str], names: Iterable[str]
) -> UnknownNameError:
    import difflib  # here, because `list` must start fast and does not need it

    close = difflib.get_close_matches(wanted.lower(), spellings, n=3, cutoff=0.5)
    if close:
        labels = translate(" or ").join(dict.fromkeys(spellings[c] for c in close))
        offer = translate("Did you mean {labels}?", labels=labels)
    else:
        offer = translate("There is: {names}.", names=", ".join(names) or translate("none yet"))
    return UnknownNameError(
        translate('No {kind} is called "{wanted}". {offer}', kind=kind, wanted=wanted, offer=offer)
    )
