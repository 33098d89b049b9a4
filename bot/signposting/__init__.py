"""Who is entitled to what."""

from bot.signposting.entitled import Signpost, Told, entitled, possible_statuses

__all__ = ["Signpost", "Told", "entitled", "possible_statuses"]
