"""The service without HTTP: conversing, deciding, keeping."""
