"""What is on disk: lessons, their scripts, their exercises and their notebooks.

Everything is found by its place in the checkout, so that adding a lesson, a script or an exercise
needs no change here:

    lessons/01_hello/routing.py                     a script, called 01/routing
    lessons/01_hello/exercises/exercises.toml       its exercises, called 01/NAME
    notebooks/01_hello.ipynb                        its notebook
    my_work/01_hello/greeting.py                    the learner's copy of a stub
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
    """A file of the course itself is missing or wrong; the message says which and why."""


@dataclass(frozen=True)
class Script:
    """One runnable file of a lesson."""

    lesson: str
    name: str
    path: Path

    @property
    def label(self) -> str:
        """The name to type, such as `01/routing`."""
        return f"{self.lesson.partition('_')[0]}/{self.name}"

    @property
    def summary(self) -> str:
        """The first line of the module's docstring, or nothing."""
        # Parsing all scripts takes ten times as long as reading them.
        found = DOCSTRING.match(self.path.read_text(encoding="utf-8", errors="replace"))
        return found[1].strip() if found else ""


@dataclass(frozen=True)
class Exercise:
    """One entry of exercises.toml, with the paths of its files."""

    lesson: str
    name: str
    title: str
    goal: str
    stub: Path  # as shipped: never edited, so that a reset works in a zip download too
    check: Path
    solution: Path
    work_file: Path  # the learner's own, under my_work/
    hints: tuple[str, ...]
    concepts: tuple[str, ...]

    @property
    def key(self) -> str:
        """The name under which progress is kept, such as `01_hello/greeting`."""
        return f"{self.lesson}/{self.name}"

    @property
    def label(self) -> str:
        """The name to type, such as `01/greeting`."""
        return f"{self.lesson.partition('_')[0]}/{self.name}"


@dataclass(frozen=True)
class Lesson:
    """One folder of lessons/."""

    name: str
    folder: Path
    work_folder: Path

    @property
    def number(self) -> str:
        """The two digits in front, such as `01`."""
        return self.name.partition("_")[0]

    @cached_property
    def _readme(self) -> str:
        readme = self.folder / "README.md"
        return readme.read_text(encoding="utf-8") if readme.exists() else ""

    @property
    def title(self) -> str:
        """The heading of the README, or else the name of the folder."""
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
        return tuple(Script(self.name, path.stem, path) for path in paths)

    @cached_property
    def exercises(self) -> tuple[Exercise, ...]:
        """The exercises in the order of exercises.toml.

        Raises:
            CatalogError: exercises.toml cannot be read, or an entry lacks something.
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
    """The course below one folder.

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
        """All exercises of all lessons, in order."""
        for lesson in self.lessons:
            yield from lesson.exercises

    def lesson(self, text: str) -> Lesson:
        """Return the lesson that `text` means: `01`, `1`, `01_hello` or `hello`.

        Raises:
            UnknownNameError: there is none; the message offers the closest.
        """
        wanted = text.strip("/").lower()
        wanted = wanted.zfill(2) if wanted.isdecimal() else wanted
        for lesson in self.lessons:
            if wanted in (lesson.name, lesson.number, lesson.name.partition("_")[2]):
                return lesson
        spellings = {lesson.name.partition("_")[2]: lesson.name for lesson in self.lessons}
        spellings |= {lesson.name: lesson.name for lesson in self.lessons}
        raise _unknown_name("lesson", text, spellings, [lesson.name for lesson in self.lessons])

    def _resolve(self, text: str) -> tuple[Lesson, str]:
        """Return the lesson that `text` means and the name in it, or "" for the whole lesson.

        `text` is `01/NAME`, the path of a file of a lesson or below my_work/, or a NAME that only
        one lesson has.
        """
        text = text.replace("\\", "/")
        parts = Path(text).parts
        for lesson in self.lessons:
            if lesson.name in parts[:-1] and text.endswith(".py"):
                return lesson, parts[-1]
        first, slash, name = text.partition("/")
        try:
            return self.lesson(first), name
        except UnknownNameError:
            if slash:
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
        spellings: dict[str, str] = {}
        for lesson in self.lessons:
            spellings |= {script.name: script.label for script in lesson.scripts}
            spellings |= {exercise.name: exercise.label for exercise in lesson.exercises}
        spellings.pop("app", None)  # every lesson has one
        for lesson in self.lessons:
            spellings |= {lesson.name: lesson.name, lesson.name.partition("_")[2]: lesson.name}
        names = [lesson.name for lesson in self.lessons]
        return _unknown_name("lesson, script or exercise", text, spellings, names)

    def find_runnable(self, text: str) -> Script | Exercise:
        """Return what `run` should start: `01` is the lesson's app.py, `01/NAME` a script.

        A name that is no script but an exercise means the learner's copy of that exercise.

        Raises:
            UnknownNameError: there is none; the message offers the closest.
        """
        lesson, name = self._resolve(text)
        runnable: list[Script | Exercise] = [*lesson.scripts, *lesson.exercises]
        return _by_name(
            translate("script in {lesson}", lesson=lesson.name),
            name.removesuffix(".py") or "app",
            runnable,
        )

    def select_exercises(self, text: str) -> tuple[Lesson, Sequence[Exercise]]:
        """Return a lesson and the exercises that `text` means: all of `01`, or one, `01/NAME`.

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
        """Return the notebook of the lesson that `text` means, or one by its own file name.

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
    import difflib  # not needed for a list, which should feel instant

    close = difflib.get_close_matches(wanted.lower(), spellings, n=3, cutoff=0.5)
    if close:
        labels = translate(" or ").join(dict.fromkeys(spellings[c] for c in close))
        offer = translate("Did you mean {labels}?", labels=labels)
    else:
        offer = translate("There is: {names}.", names=", ".join(names) or translate("none yet"))
    return UnknownNameError(
        translate('No {kind} is called "{wanted}". {offer}', kind=kind, wanted=wanted, offer=offer)
    )
