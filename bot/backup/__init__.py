"""Backups that the machine making them can't read, and getting everything back from one."""
