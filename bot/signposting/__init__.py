"""Who is entitled to what."""

from bot.signposting.entitled import Signpost, entitled, possible_statuses

__all__ = ["Signpost", "entitled", "possible_statuses"]
