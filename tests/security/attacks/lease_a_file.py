"""Takes a lease on a file, which lets whoever opens it wait for 45 seconds."""

# control: anyone
import fcntl
import tempfile

file = tempfile.NamedTemporaryFile()
fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
answer = fcntl.fcntl(file, fcntl.F_GETLEASE) == fcntl.F_WRLCK
