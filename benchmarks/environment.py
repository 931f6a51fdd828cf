"""Description of the machine and the versions of a run, without host names and paths."""

import platform
from importlib.metadata import version
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from benchmarks.servers import Server, available_cores


def processor() -> str:
    """Return the model of the processor, or else the architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def describe(servers: list[Server]) -> str:
    """Return a paragraph on the machine and on the versions of the servers."""
    memory = psutil.virtual_memory().total / 2**30
    cores = f"{psutil.cpu_count()} cores"
    if len(available_cores()) >= 2:
        cores += " (the server on one of its own, the client on another)"
    else:
        cores += " (server and client are not kept apart: trust the CPU times only)"
    packages = sorted({server.package for server in servers if server.package})
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        f"{processor()}, {cores}, {memory:.0f} GiB; {platform.system()} {platform.release()}, "
        f"{platform.python_implementation()} {platform.python_version()}; {versions}."
    )
