"""Pages for senders: form, chat, replies, answers and help. No sign-in."""

from fastapi import APIRouter, Depends

from web.public import adding, ask, chat, finish, form, replies, rights, site, start
from web.security import same_site

router = APIRouter(dependencies=[Depends(same_site)])
# The form's fixed pages come before its questions: the first address that fits is taken.
for part in (start, site, ask, finish, form, chat, replies, adding, rights):
    router.include_router(part.router)
