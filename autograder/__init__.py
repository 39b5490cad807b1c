"""The library: intake, sandbox, probes' answers, checks, scores, storage. `python -m autograder` is the command line."""
