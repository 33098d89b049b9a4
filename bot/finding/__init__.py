"""Finding what fits a question typed in anybody's own words. Pure; nothing leaves the machine."""

from bot.finding.documents import Document as Document
from bot.finding.documents import documents as documents
from bot.finding.index import Index as Index
from bot.finding.index import Result as Result
from bot.finding.meaning import installed
from bot.finding.words import plain as plain
from content.loader import Content


def indexed(content: Content, authority: str) -> Index:
    """Everything that can be found by somebody of this council."""
    return Index(documents(content, authority), content.synonyms, installed())
