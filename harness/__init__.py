"""The harness: the only code of ours inside the sandbox, beside the student's. It answers probes and judges nothing."""
