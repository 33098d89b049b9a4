"""Pages for staff: sign-in, queue, submission."""

from fastapi import APIRouter, Depends

from web.security import same_site
from web.staff import (
    access,
    account,
    alerts,
    audit,
    called,
    content,
    council,
    keeping,
    people,
    queue,
    readers,
    reply,
    requests,
    sharing,
    sign_in,
    steps,
    submission,
)

PARTS = (
    steps, council, sign_in, account, people, queue, submission, reply, alerts, audit, readers,
    access, sharing, requests, keeping, content, called,
)  # fmt: skip
router = APIRouter(dependencies=[Depends(same_site)])
for part in PARTS:
    router.include_router(part.router, prefix="/staff")
