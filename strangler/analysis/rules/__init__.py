"""One kind of coupling each: `find(project, file)` yields those of a file."""
