"""Tables, repositories, sessions, blobs and migrations. The only package that speaks SQL."""
