"""People as test objects: one for each way of talking with us."""
