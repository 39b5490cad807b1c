"""The library: intake, sandbox, judge, scores, storage. `python -m autograder` is the command line."""
