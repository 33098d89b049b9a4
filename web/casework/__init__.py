"""Staff-side rules, no HTTP: who may do what, and what doing it means."""
