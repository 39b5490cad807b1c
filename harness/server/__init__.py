"""The fork server: a warm process inside an outer sandbox, and the children that lock themselves in for one job each.

Standard library and ctypes only, because a child runs this before any student byte is read and after no import.
"""
