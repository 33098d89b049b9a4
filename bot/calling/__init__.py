"""Staff called to an alert: whom, when, by what way, and whether the ways work."""
