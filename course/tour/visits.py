"""The steps that the learner has opened, the last one at the end."""

import json
import os
from pathlib import Path


class Visits:
    """The addresses of opened steps, in a JSON file beside the progress.

    Args:
        path: the file, which may be missing. A damaged one counts as empty: it holds no work.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> list[str]:
        """Return the addresses in the order in which they were opened last."""
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))["visited"]
        except (OSError, ValueError, KeyError, TypeError):
            return []
        if not isinstance(found, list):
            return []
        return [address for address in found if isinstance(address, str)]

    def add(self, address: str) -> None:
        """Record that an address was opened now."""
        addresses = [each for each in self.read() if each != address] + [address]
        fresh = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            fresh.write_text(json.dumps({"visited": addresses}, indent=1) + "\n", encoding="utf-8")
            fresh.replace(self._path)
        finally:
            fresh.unlink(missing_ok=True)
