"""Contract example of the check type resources."""

PARAMS = {"max_seconds": 5, "max_peak_mb": 500}
GOOD = {"usage": {"seconds": 1.25, "cpu_s": 1.0, "peak_mb": 300.0, "gpu_mb": 0.0}}
