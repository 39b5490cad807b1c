"""Plants small mistakes into right solutions and counts how many of them a spec catches."""
