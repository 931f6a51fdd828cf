"""Run a notebook from its first cell to its last, and store it with its outputs.

    python notebooks/execute.py notebooks/01_hello.ipynb [TARGET]

Without TARGET the notebook itself is rewritten. No times are stored, so a run with the same outputs
does not change the file. The kernel is the Python that runs this script, in the current folder.
"""

import sys
import tempfile
from pathlib import Path

# jsonschema, which nbformat uses, imports this module to validate a kind of URL that no notebook
# has. The import takes more than a second, and jsonschema works without the module.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]

import nbformat  # noqa: E402
from nbclient import NotebookClient  # noqa: E402
from traitlets.config import Config  # noqa: E402

CELL_LIMIT = 60  # seconds that a cell may run


def execute(source: Path, target: Path) -> None:
    """Run all cells of a notebook and write it with its outputs.

    Args:
        source: the notebook.
        target: the file to write, which may be the notebook.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell raised an exception.
    """
    notebook = nbformat.read(source, as_version=4)
    # The notebook may name another kernel; "python3" is that of this environment.
    here = {"metadata": {"path": str(Path.cwd())}}
    with tempfile.TemporaryDirectory() as folder:
        config = Config()
        if sys.platform != "win32":
            # The ports of a kernel on TCP are chosen before its start, and another program can
            # take them in between.
            config.KernelManager.transport = "ipc"
            config.KernelManager.connection_file = f"{folder}/kernel.json"
        NotebookClient(
            notebook,
            config=config,
            timeout=CELL_LIMIT,
            kernel_name="python3",
            record_timing=False,
            coalesce_streams=True,  # a busy machine may deliver one output in two parts
            resources=here,
        ).execute()
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    nbformat.write(notebook, target)


if __name__ == "__main__":
    execute(Path(sys.argv[1]), Path(sys.argv[-1]))
