"""python -m bot.finding: works out what every known way to ask means, once, when installing."""

from bot.finding import indexed
from bot.finding.meaning import keep
from content import loader

content = loader.read()
for authority in content.authorities:
    indexed(content.served_by(authority), authority)
keep()
