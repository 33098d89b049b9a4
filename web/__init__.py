"""Everything in a browser, and staff casework."""
