"""The Telegram channel; the only part that knows the Telegram library."""
