"""Data to fill an empty Orchard with: the same size and seed give the same bytes."""
