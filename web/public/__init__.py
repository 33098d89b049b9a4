"""Pages for senders: form, chat, replies, answers and help. No sign-in."""

from fastapi import APIRouter, Depends

from web.public import chat, form, replies, site
from web.security import same_site

router = APIRouter(dependencies=[Depends(same_site)])
for part in (site, form, chat, replies):
    router.include_router(part.router)
