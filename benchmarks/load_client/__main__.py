"""Run the load client in a separate process, so that it can use another core than the server.

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
    """Run the job on the standard input; return the exit status."""
    try:
        for result in run_job(json.load(sys.stdin)):
            print(json.dumps(result), flush=True)
    except (LoadError, psutil.NoSuchProcess) as error:
        print(json.dumps({"error": str(error)}), flush=True)
        return 1
    except KeyboardInterrupt:  # Ctrl-C reaches the parent process too, which reports it
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
