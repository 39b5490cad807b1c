"""Finds a process outside by its number (signal 0 harms nobody)."""

# control: anyone
import os

os.kill(given["victim"], 0)
answer = 1
