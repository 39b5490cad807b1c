"""`python -m harness`: serve the judge on descriptor 3."""

from harness.main import main

if __name__ == "__main__":
    main()
