"""Serve the page:  python -m lighthouse --port=8888."""

from lighthouse.server import run

if __name__ == "__main__":
    run()
