"""python -m bot.finding: works out what every known way to ask means, once, when installing."""

from bot.finding import indexed
from bot.finding.meaning import work_out
from content import loader

content = loader.read()
work_out(
    text
    for authority in content.authorities
    for document in indexed(content.served_by(authority), authority).documents
    for text in (*document.asked, document.summary)
)
