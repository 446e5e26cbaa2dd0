"""From the text of a file to its facts, in one walk over the syntax tree. Pure."""
