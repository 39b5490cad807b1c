"""Coverage-guided fuzzing of the judge's reader (docs/wire.md). Fails with the input it fell over."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["autograder.sandbox.wire"]):
    from autograder.sandbox import wire

from benchmarks.report import RESULTS
from benchmarks.wire_target import feed, seeds


def main() -> None:
    """Parse arguments, fill a corpus, fuzz."""
    parser = argparse.ArgumentParser(prog="bin/bench fuzz_wire", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="how long (default 60)")
    parser.add_argument("--memory-mb", type=int, default=512, help="memory it may hold (default 512)")
    options = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for number, data in enumerate(seeds()):
            (Path(folder) / f"seed-{number:02}").write_bytes(data)
        print(f"fuzzing {wire.__name__} for {options.seconds} s", flush=True)
        arguments = [
            f"-max_total_time={options.seconds}",
            f"-rss_limit_mb={options.memory_mb}",
            f"-artifact_prefix={RESULTS}/wire-",
            "-max_len=4096",
            "-timeout=5",
            "-print_final_stats=1",
            folder,
        ]
        atheris.Setup([sys.argv[0], *arguments], lambda data: feed(data) and None)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
