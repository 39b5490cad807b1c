"""Plants code where the next Python would run it."""

# control: CAP_DAC_OVERRIDE
import os
import sysconfig

answer = []
for folder in {sysconfig.get_path("purelib"), sysconfig.get_path("stdlib"), os.path.dirname(os.__file__)}:
    path = os.path.join(folder, "autograder_attack.pth")
    try:
        open(path, "w").write("import os")
        os.remove(path)
        answer.append(path)
    except OSError:
        pass
