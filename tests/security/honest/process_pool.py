"""Uses a pool of processes."""

import math
import multiprocessing

with multiprocessing.get_context("fork").Pool(2) as pool:
    answer = pool.map(math.isqrt, [1, 4, 9]) == [1, 2, 3]
