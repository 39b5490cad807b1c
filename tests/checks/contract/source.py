"""Contract example of the check type source."""

PARAMS = {"must_call": ["zero_grad"], "must_not_call": ["eval"], "must_define": ["train"]}
GOOD = {"source": {"files": [{"name": "task.py", "code": "def train(optimizer):\n    optimizer.zero_grad()\n"}]}}
