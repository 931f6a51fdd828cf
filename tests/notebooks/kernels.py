"""What tests/support/forked_python.py is for scripts: notebooks and their kernels as forks.

For each notebook execute.py, the kernel that it starts and Matplotlib take a second to import.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

# As a kernel has it.
os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"

# Some are only imported for the forks.
import ipykernel.kernelapp  # noqa: F401
import matplotlib.pyplot  # noqa: F401
from jupyter_client.provisioning import local_provisioner

import notebooks.execute
import notebooks.kit  # noqa: F401
from tests.support import forked_python


class Kernel(forked_python.ForkedPython):
    """What Jupyter needs of a `subprocess.Popen`."""

    stdin = stdout = stderr = None


def start_kernel(command: Sequence[str], *, cwd: str, **_: Any) -> Kernel:
    """Stands in for Jupyter's `launch_kernel`."""
    with forked_python.open_null() as stdin:
        return Kernel(command[1:], [stdin.fileno(), 1, 2], Path(cwd))


if __name__ == "__main__":
    with mock.patch.object(local_provisioner, "launch_kernel", start_kernel):
        forked_python.main()
