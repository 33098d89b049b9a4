"""Files from outside: recognised by what they hold, cleaned, or refused with a plain sentence."""
