"""One conversation, pure: what was asked, what was answered, what comes next."""
