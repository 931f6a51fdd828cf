"""Run a notebook from its first cell to its last, and store it with its outputs.

    python notebooks/execute.py notebooks/01_hello.ipynb [TARGET]

Without TARGET the notebook itself is rewritten. No times are stored, so a run that changes nothing
leaves the file as it is. The kernel is the Python that runs this, and works in the current folder.
"""

import sys
import tempfile
from pathlib import Path

# nbformat loads it, by way of jsonschema, to check one kind of address that no notebook holds; it
# takes more than a second. jsonschema does without what cannot be imported.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]

import nbformat  # noqa: E402
from nbclient import NotebookClient  # noqa: E402
from traitlets.config import Config  # noqa: E402

CELL_LIMIT = 60  # seconds


def execute(source: Path, target: Path) -> None:
    """Raises nbclient.exceptions.CellExecutionError when a cell fails."""
    notebook = nbformat.read(source, as_version=4)
    # "python3" is this environment's kernel, whatever the notebook was last opened with.
    here = {"metadata": {"path": str(Path.cwd())}}
    with tempfile.TemporaryDirectory() as folder:
        config = Config()
        if sys.platform != "win32":
            # A kernel on TCP is given its ports before it starts; then they may be taken.
            config.KernelManager.transport = "ipc"
            config.KernelManager.connection_file = f"{folder}/kernel.json"
        NotebookClient(
            notebook,
            config=config,
            timeout=CELL_LIMIT,
            kernel_name="python3",
            record_timing=False,
            coalesce_streams=True,  # one output, even where a busy machine prints it in two
            resources=here,
        ).execute()
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    nbformat.write(notebook, target)


if __name__ == "__main__":
    execute(Path(sys.argv[1]), Path(sys.argv[-1]))
