"""The workshop: steps from a monolith that runs to a service that has left it, in a folder of the learner's own."""
