"""Who counts as "in care" or "having left care" for each scheme: no two schemes agree.

Each test reads the whole story and stands for itself; none is built on another's, so that a change
to one scheme changes that scheme alone. None means that what we read of the scheme, or what the
story tells, does not settle it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from bot.signposting.history import Order
from bot.signposting.status import Story, left_with_rights, statuses
from content.schema import CareStatus, Scheme

_LEAVING_CARE = frozenset({CareStatus.ELIGIBLE, CareStatus.RELEVANT, CareStatus.FORMER_RELEVANT})
_QUALIFYING = frozenset({CareStatus.QUALIFYING, CareStatus.QUALIFYING_EDUCATION})
_BEYOND_CARE = frozenset({CareStatus.PREVIOUSLY_LOOKED_AFTER, CareStatus.KINSHIP})


def leaving_care(story: Story) -> bool | None:
    """Former relevant in law: eligible or relevant on the day before 18, at whatever age now."""
    return story.age >= 18 and left_with_rights(story)


def student_finance(story: Story) -> bool | None:
    """13 weeks or more, ending after 16; not back with parents, unless still in care."""
    if not (story.thirteen_weeks and story.touched_16):
        return False
    if story.now:
        return True
    return None if story.went_home is None else not story.went_home


def college_bursary(story: Story) -> bool | None:
    """In care now, for however long; or left after 13 weeks with some of it after 16. Going home
    does not undo it."""
    at_16 = story.touched_16 or story.away_at_16
    return story.now or (story.age >= 16 and story.thirteen_weeks and at_16)


def apprenticeship_bursary(story: Story) -> bool | None:
    """Eligible, relevant or former relevant, of any nation of the UK. Qualifying is not enough."""
    if not statuses(story).isdisjoint(_LEAVING_CARE):
        return True
    return None if story.elsewhere else False


def ucas_question(story: Story) -> bool | None:
    """Ever in care, for however long, at whatever age."""
    return story.ever


def huddersfield(story: Story) -> bool | None:
    """13 weeks that span the 16th birthday."""
    if story.spans_16:
        return True
    # Weeks that were added together, or that began after 16: the page we read does not say.
    return None if story.thirteen_weeks and story.touched_16 else False


def keele(story: Story) -> bool | None:
    """13 weeks with some after 16, or privately fostered to 16, or guardianship from care."""
    if story.thirteen_weeks and story.touched_16:
        return True
    if story.order is Order.GUARDIANSHIP and story.from_care:
        return True
    return None if story.privately_fostered is not False else False


def capstone(story: Story) -> bool | None:
    """Former relevant, up to and including 25; at 17 nobody is that yet."""
    if left_with_rights(story) and story.age >= 18:
        return True
    return None if not statuses(story).isdisjoint(_LEAVING_CARE) else False


def spark(story: Story) -> bool | None:
    """In care, relevant or former relevant, to 25; never through guardianship or kinship."""
    if story.order is Order.GUARDIANSHIP or story.relatives:
        return False
    return story.now or (story.age >= 16 and left_with_rights(story))


def buttle(story: Story) -> bool | None:
    """Estranged, kinship, left care by order, or qualifying; not while in foster or other care."""
    if story.now:
        return False
    wanted = _BEYOND_CARE | _QUALIFYING
    return story.estranged or not statuses(story).isdisjoint(wanted)


def unite(story: Story) -> bool | None:
    """Any legal category of care leaver, at 25 too; or estranged."""
    if story.estranged or left_with_rights(story):
        return True
    held = statuses(replace(story, age=min(story.age, 24)))  # the category they left with
    return not held.isdisjoint(_LEAVING_CARE | _QUALIFYING)


def one_bedroom(story: Story) -> bool | None:
    """In care before 18. How long or how late is not said, so only a leaver in law is certain."""
    if not statuses(story).isdisjoint(_LEAVING_CARE | _QUALIFYING):
        return True
    return None if story.ever else False


def housing_priority(story: Story) -> bool | None:
    """Looked after at some time at 16 or 17: guardianship at 9 is not enough."""
    return story.touched_16


def nhs_social_work(story: Story) -> bool | None:
    """In care on the 18th birthday."""
    return story.to_18


TESTS: Mapping[Scheme, Callable[[Story], bool | None]] = {
    Scheme.LEAVING_CARE: leaving_care,
    Scheme.STUDENT_FINANCE: student_finance,
    Scheme.COLLEGE_BURSARY: college_bursary,
    Scheme.APPRENTICESHIP_BURSARY: apprenticeship_bursary,
    Scheme.UCAS_QUESTION: ucas_question,
    Scheme.HUDDERSFIELD: huddersfield,
    Scheme.KEELE: keele,
    Scheme.CAPSTONE: capstone,
    Scheme.SPARK: spark,
    Scheme.BUTTLE: buttle,
    Scheme.UNITE: unite,
    Scheme.ONE_BEDROOM: one_bedroom,
    Scheme.HOUSING_PRIORITY: housing_priority,
    Scheme.NHS_SOCIAL_WORK: nhs_social_work,
}
