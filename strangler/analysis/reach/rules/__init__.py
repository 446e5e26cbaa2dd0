"""Rules that say who uses what. Each looks at one file, or at the whole project, and adds to the usage."""
