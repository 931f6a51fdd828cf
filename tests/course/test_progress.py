"""Progress outlives a crash in the middle of writing, and a file that somebody broke."""

import errno
from pathlib import Path

import pytest

from course.progress import ExerciseProgress, Progress


@pytest.fixture
def progress(tmp_path: Path) -> Progress:
    return Progress(tmp_path / ".progress.json")


def test_what_is_written_is_read(progress: Progress) -> None:
    progress.write("01_hello/greeting", ExerciseProgress(tries=2, hints=1, solved=True))
    progress.write("01_hello/farewell", ExerciseProgress(tries=1))
    again = Progress(progress.path)
    assert again.get("01_hello/greeting") == ExerciseProgress(2, 1, True)
    assert again.get("01_hello/farewell") == ExerciseProgress(1, 0, False)
    assert again.get("01_hello/never") == ExerciseProgress()


def test_none_forgets(progress: Progress) -> None:
    progress.write("01_hello/greeting", ExerciseProgress(tries=2))
    progress.write("01_hello/greeting", None)
    assert progress.read() == {}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"01_hello/greeting": 3}',
        b'{"01_hello/greeting": {"tries": "many"}}',
        b'{"01_hello/greeting": {"luck": 1}}',
    ],
)
def test_a_broken_file_is_put_aside(progress: Progress, content: bytes) -> None:
    progress.path.write_bytes(content)
    assert progress.read() == {}
    assert progress.corrupt_copy
    assert progress.corrupt_copy.read_bytes() == content
    progress.write("01_hello/greeting", ExerciseProgress(tries=1))
    assert Progress(progress.path).get("01_hello/greeting").tries == 1


def test_a_write_that_fails_leaves_the_old_file(
    progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress.write("01_hello/greeting", ExerciseProgress(tries=1))

    def full(path: Path, text: str, **_: object) -> None:
        path.write_bytes(text[:10].encode())
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        with pytest.raises(OSError, match="No space left"):
            progress.write("01_hello/greeting", ExerciseProgress(tries=2))
    assert progress.get("01_hello/greeting").tries == 1
    assert [path.name for path in progress.path.parent.iterdir()] == [".progress.json"]
