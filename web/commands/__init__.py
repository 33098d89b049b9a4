"""The parts of the `waymark` command that are more than a few lines."""
