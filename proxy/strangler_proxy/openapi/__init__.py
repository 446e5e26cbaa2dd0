"""Documents of interfaces (OpenAPI 3), standard library only: checked, merged into one, and shown."""
