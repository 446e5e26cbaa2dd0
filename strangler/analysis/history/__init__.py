"""What git remembers of a project: earlier states of its files, and what was changed together."""
