"""The register: the log, the current state made from it, and what persons decide."""
