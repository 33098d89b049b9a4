"""All SQL: the database, the tables, and one module per subject."""
