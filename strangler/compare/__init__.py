"""`strangler compare`: a monolith, a modular monolith and services, under the same load, on the same cores."""
