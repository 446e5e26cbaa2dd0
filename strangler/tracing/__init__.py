"""What a running project does across its apps, recorded for `strangler trace`: shapes and counts, never a value."""
