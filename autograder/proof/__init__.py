"""Proofs of grader specs: reference solutions under their verdicts, house rules, calibration, mutants."""
