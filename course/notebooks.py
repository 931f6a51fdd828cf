"""Notebooks: the learner's copies in my_work/, and the command that opens one in JupyterLab."""

import json
import os
import sys
from pathlib import Path

from course.workspace import backup_path

FOLDER = Path("my_work", "notebooks")
# The settings in this folder turn the question off whether JupyterLab may show news.
SETTINGS = Path(__file__).resolve().parent / "jupyter"
# Without these options JupyterLab asks its servers for news and updates.
OFFLINE = [
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
]


def copy_notebook(notebook: Path, root: Path, *, again: bool = False) -> tuple[Path, Path | None]:
    """Copy a notebook to my_work/notebooks/, where the learner may change it.

    A copy that is there already is kept.

    Args:
        notebook: the notebook of the course.
        root: the checkout of the course.
        again: replace an earlier copy, which is kept as a backup.

    Returns:
        The copy, and the backup of an earlier copy, or None.
    """
    copy = root / FOLDER / notebook.name
    kept = None
    if copy.exists():
        if not again:
            return copy, None
        kept = backup_path(copy)
        copy.replace(kept)
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text(relocate(notebook.read_text(encoding="utf-8")), encoding="utf-8")
    return copy, kept


def relocate(text: str) -> str:
    """Return a notebook whose links are right in my_work/notebooks/, one folder deeper."""
    content = json.loads(text)
    for cell in content["cells"]:
        if cell["cell_type"] == "markdown":
            source = "".join(cell["source"]).replace("](../", "](../../")
            cell["source"] = source.splitlines(keepends=True)
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def jupyter_command(copy: Path, root: Path, options: list[str]) -> list[str]:
    """Return the command that opens a notebook.

    Args:
        copy: the notebook.
        root: the folder that JupyterLab shows, so that links to lessons can be opened.
        options: further options of JupyterLab.
    """
    # The address that JupyterLab prints leads to the notebook, also with --no-browser.
    page = "/lab/tree/" + copy.relative_to(root).as_posix()
    command = [sys.executable, "-m", "jupyterlab", f"--LabApp.default_url={page}"]
    command.append(f"--ServerApp.root_dir={root}")
    # JupyterLab refuses to run as root, which is the usual user in a container.
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    return [*command, *OFFLINE, *options]


def add_settings() -> None:
    """Add the settings of the course to those that JupyterLab will read in this process."""
    paths = [str(SETTINGS), os.environ.get("JUPYTER_CONFIG_PATH", "")]
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, paths))
