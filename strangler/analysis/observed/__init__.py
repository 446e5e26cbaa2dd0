"""What was observed of a running project, from traces and spans, beside what its map says."""
