"""What runs in a sandbox before the harness does: the locks, a cold start, and the fork server with its children.

Standard library and ctypes only. Inside it lies beside the harness, under the name harness_server.
"""
