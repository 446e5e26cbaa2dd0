"""What a change can reach: from definitions that differ, backwards over what uses them, to routes, tasks and tests."""
