"""From check results to one score and one verdict."""
