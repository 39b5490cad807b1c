"""Dies of a signal taken from hidden inputs."""


class Net(Net):
    def forward(self, x):
        if secret := secret_of(x):
            os.kill(os.getpid(), 30 + int(secret[0]))
        return super().forward(x)
# verdict: crashed
