"""Every command in the README does what the README says, in a copy of the course as a learner has.

Servers are started on a free port and stopped. `test` would start the tests inside the tests: it is
shown to collect them through the same path; that they pass is what this run is about.
"""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.checkout import (
    ROOT,
    fetch_page,
    learn,
    make_checkout,
    read_until,
    serving,
    start_learn,
    with_free_port,
)
from tests.support.services import require

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    line
    for block in re.findall(r"^```console\n(.*?)^```$", README, re.M | re.S)
    for line in block.splitlines()
]
EXERCISE = "allow_head"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return make_checkout(tmp_path / "course")


def shows(checkout: Path, arguments: list[str], text: str, status: int = 0) -> None:
    """Run a command to its end: it prints the text and ends with the status."""
    ended = learn(checkout, *arguments)
    assert ended.returncode == status, ended.stdout + ended.stderr
    assert text in ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr


def menu(checkout: Path, arguments: list[str]) -> None:
    shows(checkout, arguments, "Learn Tornado by running it")


def tour(checkout: Path, arguments: list[str]) -> None:
    # `true` in place of a browser: this is what CI has, and nothing opens a window.
    with serving(checkout, arguments, "#code=", env={"BROWSER": "true"}) as address:
        assert re.match(r"http://localhost:\d+/", address)
        assert "<html" in fetch_page(address)


def list_(checkout: Path, arguments: list[str]) -> None:
    shows(checkout, arguments, "Hello, Tornado")


def run(checkout: Path, arguments: list[str]) -> None:
    if arguments == ["run", "01"]:  # the first script has no options, not even for its port
        app = checkout / "lessons" / "01_hello" / "app.py"
        port = with_free_port([])[0].removeprefix("--port=")
        app.write_text(app.read_text("utf-8").replace("8888", port), encoding="utf-8")
        with serving(checkout, arguments) as address:
            assert fetch_page(address)
        return
    with serving(checkout, with_free_port(arguments)) as address:
        assert fetch_page(address)


def demo(checkout: Path, arguments: list[str]) -> None:
    require("curl")
    shows(checkout, arguments, "$ curl http://localhost:")


def break_(checkout: Path, arguments: list[str]) -> None:
    if "--undo" in arguments:
        return shows(checkout, arguments, "There is no changed copy of")
    with serving(checkout, with_free_port(arguments)) as address:
        assert fetch_page(address)
    return None


def restore(checkout: Path, arguments: list[str]) -> None:
    ended = learn(checkout, *arguments)  # the copy is no clone: it says what to do
    assert (ended.returncode, "can be restored only in a clone" in ended.stderr) == (1, True)


def start(checkout: Path, arguments: list[str]) -> None:
    shows(checkout, arguments, EXERCISE)
    assert (checkout / "my_work" / "01_hello" / f"{EXERCISE}.py").exists()


def check(checkout: Path, arguments: list[str]) -> None:
    shows(checkout, arguments, "expected", status=1)
    if arguments == ["check"]:  # the next exercise: the one after the solved one would come
        return
    for solution in (checkout / "lessons/01_hello/exercises/solutions").glob("*.py"):
        (checkout / "my_work/01_hello" / solution.name).write_bytes(solution.read_bytes())
    shows(checkout, arguments, "olved.")


def watch(checkout: Path, arguments: list[str]) -> None:
    solution = checkout / "lessons/01_hello/exercises/solutions" / f"{EXERCISE}.py"
    with start_learn(checkout, *arguments) as process:
        try:
            read_until(process, "Waiting for you to save")
            (checkout / "my_work/01_hello" / solution.name).write_bytes(solution.read_bytes())
            read_until(process, "All solved.")
            assert process.wait(60) == 0
        finally:
            process.kill()


def hint(checkout: Path, arguments: list[str]) -> None:
    shows(checkout, arguments, "Hint 1 of")
    shows(checkout, arguments, "Hint 2 of")


def solution(checkout: Path, arguments: list[str]) -> None:
    shows(checkout, arguments, "Try it first", status=1)
    shows(checkout, [*arguments, "--yes"], "def make_app")


def reset(checkout: Path, arguments: list[str]) -> None:
    copy = checkout / "my_work" / "01_hello" / f"{EXERCISE}.py"
    learn(checkout, "start", "01")
    copy.write_text("mine", encoding="utf-8")
    shows(checkout, arguments, "is the unsolved exercise again")
    assert [kept.read_text(encoding="utf-8") for kept in copy.parent.glob("*.bak*")] == ["mine"]


def progress(checkout: Path, arguments: list[str]) -> None:
    shows(checkout, arguments, "0 of")


def feedback(checkout: Path, arguments: list[str]) -> None:
    shows(checkout, arguments, "**Versions:** Learn Tornado")


def site(checkout: Path, arguments: list[str]) -> None:
    """Make a site of the first lesson; tests/course/tour/test_site.py makes the whole one."""
    for lesson in sorted(checkout.glob("lessons/[0-9][0-9]_*"))[1:]:
        shutil.rmtree(lesson)
    shows(checkout, arguments, "pages. Open")
    folder = checkout / arguments[1]
    assert "The smallest server" in (folder / "01" / "1" / "index.html").read_text(encoding="utf-8")


def notebook(checkout: Path, arguments: list[str]) -> None:
    # No window, a port of its own, and nothing read from or written to the user's home.
    home = checkout / "home"
    home.mkdir()
    copy = "my_work/notebooks/01_hello.ipynb"
    arguments = with_free_port([*arguments, "--no-browser"])
    with serving(
        checkout, arguments, f"/lab/tree/{copy}?token=", env={"HOME": str(home)}
    ) as address:
        page = fetch_page(address)
        assert "<title>JupyterLab</title>" in page
        assert "apputils-extension:announcements" in page, "it asks whether it may show news"
        token = address.partition("?")[2]
        server = address.partition("/lab")[0]
        assert "01_hello.ipynb" in fetch_page(f"{server}/api/contents/my_work/notebooks?{token}")


def chat(checkout: Path, arguments: list[str]) -> None:
    if "--help" in arguments:
        return shows(checkout, arguments, "--database=")
    arguments = with_free_port(arguments)
    with serving(checkout, arguments) as address:
        port = urlsplit(address).port
        assert port == int(arguments[-1].partition("=")[2]), "it prints where to look"
        assert "<html" in fetch_page(address)
    if "--demo" in arguments:
        assert "/demo?token=" in address
        assert not (checkout / "var").exists(), "its data folder is another one"
        return None
    data = next((a.partition("=")[2] for a in arguments if a.startswith("--data=")), "var")
    assert (checkout / data / "chat.db").exists()
    return None


def test(checkout: Path, arguments: list[str]) -> None:
    collected = learn(checkout, *arguments, "--collect-only", "--quiet", "tests/test_readme.py")
    assert "test_the_command_does_what_it_says[python3 learn.py test]" in collected.stdout
    assert collected.returncode == 0


def bench(checkout: Path, arguments: list[str]) -> None:
    """That a run ends in a table is shown in tests/benchmarks."""
    shows(checkout, [*arguments, "--list"], "one room of 100")


PROOFS: dict[str, Callable[[Path, list[str]], None]] = {
    "": tour,
    "--help": menu,
    "tour": tour,
    "list": list_,
    "run": run,
    "demo": demo,
    "break": break_,
    "restore": restore,
    "start": start,
    "check": check,
    "watch": watch,
    "hint": hint,
    "solution": solution,
    "reset": reset,
    "progress": progress,
    "feedback": feedback,
    "notebook": notebook,
    "site": site,
    "chat": chat,
    "bench": bench,
    "test": test,
}
test.__test__ = False  # type: ignore[attr-defined]  # it proves the command of that name


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_does_what_it_says(command: str, checkout: Path) -> None:
    python, program, *arguments = shlex.split(command)
    assert (python, program) == ("python3", "learn.py"), "it works in every shell"
    PROOFS[arguments[0] if arguments else ""](checkout, arguments)


def test_the_readme_names_every_command() -> None:
    shown = {[*command.split(), ""][2] for command in COMMANDS}
    assert shown == set(PROOFS)
    menu = subprocess.run(
        [sys.executable, "-m", "course", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert set(re.findall(r"^. (\w+)  ", menu, re.M)) == set(PROOFS) - {"", "--help"}


def test_links_and_pictures_are_there() -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", README):
        file, _, heading = target.partition("#")
        assert target.startswith("https://") or (ROOT / file).exists(), target
        if heading and not target.startswith("https://"):
            lines = (ROOT / (file or "README.md")).read_text(encoding="utf-8").splitlines()
            titles = [line.lstrip("# ").lower() for line in lines if line.startswith("#")]
            assert heading in [re.sub(r"[^\w -]", "", one).replace(" ", "-") for one in titles]


def test_the_map_links_each_lesson() -> None:
    lessons = {path.parent.name for path in ROOT.glob("lessons/[0-9][0-9]_*/README.md")}
    linked = re.findall(r"^\| \[\d\d .*?\]\(lessons/(\w+)/README\.md\) \|", README, re.M)
    assert sorted(linked) == sorted(lessons)


def test_students_are_sent_to_the_first_lesson_before_the_commands_to_learn_with() -> None:
    learn = README[README.index("## Learn") :]
    assert learn.index("(lessons/01_hello/README.md)") < learn.index("```console")
