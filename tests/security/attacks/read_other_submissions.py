"""Reads a file that belongs to another student's submission."""

# control: anyone
answer = open(given["other_submission"]).read()
