"""Run the load client as a process of its own, so that it does not share a core with the server.

    python -m benchmarks.load_client < job.json

The job (see `jobs.make_job`) names a server, the number of connections and rooms, and the steps.
The result of each step is printed as a line of JSON.
"""

import json
import sys

import psutil  # type: ignore[import-untyped]

from benchmarks.load_client.connections import LoadError
from benchmarks.load_client.jobs import run_job


def main() -> int:
    """Run the job on the standard input."""
    try:
        for result in run_job(json.load(sys.stdin)):
            print(json.dumps(result), flush=True)
    except (LoadError, psutil.NoSuchProcess) as error:
        print(json.dumps({"error": str(error)}), flush=True)
        return 1
    except KeyboardInterrupt:  # the process that started this one has received it as well
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
