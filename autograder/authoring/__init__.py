"""What helps an author: new specs and checks to start from, handouts, the JSON schema, the reference of checks."""
