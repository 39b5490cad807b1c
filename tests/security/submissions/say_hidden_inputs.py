"""Prints hidden inputs every way there is."""

import logging
import warnings


class Net(Net):
    def forward(self, x):
        secret = secret_of(x)
        print("hidden", secret)
        sys.stderr.write(secret)
        os.write(1, secret.encode())
        os.write(2, secret.encode())
        warnings.warn(secret or "-")
        logging.error(secret)
        os.system(f"echo {secret}")
        return super().forward(x)
