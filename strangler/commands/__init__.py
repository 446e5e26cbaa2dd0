"""The commands of `strangler`, a module each: add() says its arguments, and what it runs stands below."""
