"""Finding what fits a question typed in anybody's own words. Pure; nothing leaves the machine."""

from bot.finding.documents import Document as Document
from bot.finding.documents import documents as documents
from bot.finding.index import Index as Index
from bot.finding.index import Result as Result
from bot.finding.meaning import installed
from bot.finding.words import plain as plain
from content.loader import Content
from content.schema import NOT_OURS, Findable


def indexed(content: Content, authority: str) -> Index:
    """Everything that can be found by somebody of this council."""
    not_ours = content.asked_as[Findable.NOTHING].get(NOT_OURS, ())
    return Index(documents(content, authority), content.synonyms, not_ours, installed())
