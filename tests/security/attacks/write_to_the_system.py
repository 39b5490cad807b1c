"""Changes files that everybody uses."""

# control: CAP_DAC_OVERRIDE
import os

answer = []
for folder in ("/usr/bin", "/usr/lib", "/etc", "/opt", "/", "/usr/local/lib"):
    path = os.path.join(folder, "autograder-attack")
    try:
        open(path, "x").close()
        os.remove(path)
        answer.append(path)
    except OSError:
        pass
