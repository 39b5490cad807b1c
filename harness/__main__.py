"""Starts the harness: `python -m harness` with the judge on descriptor 3."""

from harness.main import main

if __name__ == "__main__":
    main()
