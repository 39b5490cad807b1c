"""Data that the project generates itself, shared by the data builders of several specs. numpy only, seeded, small."""
