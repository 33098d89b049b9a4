"""Faults across files: what each file alone can't show. Served content has none."""

from __future__ import annotations

import re
import string
from collections.abc import Collection, Iterable, Iterator, Sequence

from content.conditions import Condition
from content.loader import Content, ContentError, Fault, Page
from content.plain_words import (
    OLDEST,
    flow_texts,
    read_texts,
    reading_age,
    says_what_to_leave_out,
    unkind,
)
from content.schema import (
    FIRST_TEAM,
    HELP_NOW,
    NOT_OURS,
    WHO_TO_ASK,
    Audience,
    Fact,
    Findable,
    Flow,
    Helpline,
    Level,
    Option,
    Question,
    QuestionType,
    ServiceAnswer,
    Skip,
    Urgency,
)
from content.walk import ways

BUTTON_BYTES = 64
"""Telegram's limit on what a button may carry back (Bot API, callback_data)."""
LABEL_CHARACTERS = 60
"""Longer labels are cut on a narrow phone."""
ASK_CHARACTERS = 3000
"""Telegram refuses a message over 4,096 characters; room is left for progress and help."""
GAPS = frozenset({"council", "virtual_school", "reply_by"})
"""What may stand in braces in a flow: filled in when it is served, or said."""


SITUATIONS = (Fact.CIRCUMSTANCES, Fact.LIVING_WITH, Fact.BIRTHDAY, Fact.IN_CARE_NOW)
"""The questions whose answers a row may name among its circumstances."""


def check(content: Content) -> list[Fault]:
    """Every fault found, in the order of the files."""
    return [
        *_flow_faults(content),
        *_part_faults(content),
        *_directory_faults(content),
        *_finding_faults(content),
        *_screening_faults(content),
        *_authority_faults(content),
        *_policy_faults(content),
        *_retention_faults(content),
        *_wording_faults(content),
        *_coverage_faults(content),
    ]


def checked(content: Content) -> Content:
    """The content itself, or ContentError with all its faults."""
    if faults := check(content):
        raise ContentError(faults)
    return content


# --- Flows --------------------------------------------------------------------------------


def _flow_faults(content: Content) -> Iterator[Fault]:
    for flow in content.flows.values():
        page = content.pages[f"flow {flow.id}"]
        faults = [
            *_condition_faults(flow),
            *_reference_faults(content, flow),
            *_channel_faults(flow),
            *_kindness_faults(flow),
            *_first_faults(flow),
            *_retired_faults(flow),
        ]
        # Ways can only be walked once every condition makes sense.
        for where, message in faults or _way_faults(flow):
            yield page.fault_near(_base(flow, where), message)


def _part_faults(content: Content) -> Iterator[Fault]:
    for part in content.unused_parts:
        yield Fault(part, 1, "(file)", "no flow uses this part")


def _base(flow: Flow, question_id: str) -> str:
    """The id as written, for a question that a repeat wrote out as `-2`."""
    short = re.sub(r"-\d+$", "", question_id)
    return short if question_id in flow.by_id and short in flow.by_id else question_id


Finding = tuple[str, str]


def _condition_faults(flow: Flow) -> Iterator[Finding]:
    seen: dict[str, Question] = {}
    for question in flow.questions:
        if question.id in seen:
            yield question.id, "question id used twice"
        for condition in _conditions(question):
            yield from _sense(condition, question.id, seen, flow)
        seen[question.id] = question
    for ending in flow.endings:
        if flow.ending_by_id[ending.id] is not ending:
            yield ending.id, "ending id used twice"
        if ending.when is not None:
            yield from _sense(ending.when, ending.id, seen, flow)


def _conditions(question: Question) -> Iterator[Condition]:
    if question.when is not None:
        yield question.when
    yield from (option.when for option in question.options if option.when is not None)


def _sense(
    condition: Condition, where: str, earlier: dict[str, Question], flow: Flow
) -> Iterator[Finding]:
    for leaf in condition.leaves():
        assert leaf.question is not None
        asked = earlier.get(leaf.question)
        if asked is None:
            yield where, f"asks about {leaf.question}, which is not an earlier question"
            continue
        known = set(asked.by_value) | {skip.value for skip in flow.skips_of(asked)}
        if asked.type in (QuestionType.CHOICE, QuestionType.CHOICES):
            for value in leaf.is_ or ():
                if value not in known:
                    yield where, f"{leaf.question} has no answer {value}"


def _reference_faults(content: Content, flow: Flow) -> Iterator[Finding]:
    for question in flow.questions:
        for option in question.options:
            if option.ends is not None and option.ends not in flow.ending_by_id:
                yield question.id, f"{option.value} ends at {option.ends}, which is no ending"
            if option.disclosure and option.disclosure.notice not in content.notices:
                yield question.id, f"there is no safety notice {option.disclosure.notice}"
    shape = flow.submission
    named = {shape.child, shape.topic, shape.sender, *shape.contact} - {None, "young-person"}
    for name in named:
        if name not in flow.by_id:
            yield flow.id, f"submission names {name}, which is no question"
    if flow.help_notice not in content.notices:
        yield flow.id, f"there is no safety notice {flow.help_notice}"
    for ending in flow.endings:
        messages = (_no_such_line(content, line) for line in ending.helplines)
        yield from ((ending.id, message) for message in messages if message)


def _no_such_line(content: Content, line: str) -> str | None:
    """A line that a text names must be there, and sure, whichever council is served."""
    for authority in content.authorities:
        found = content.helplines(authority).get(line)
        if found is None:
            return f"there is no helpline {line}"
        if not found.confidence.publishable:
            return f"names {line}, a helpline that is not sure: nobody is shown it"
    return None


def _channel_faults(flow: Flow) -> Iterator[Finding]:
    for question in flow.questions:
        if len(question.text) + len(question.help or "") > ASK_CHARACTERS:
            yield question.id, f"too long for one message ({ASK_CHARACTERS} characters)"
        answers: list[tuple[str, str]] = [(o.value, _label(o)) for o in question.options]
        for value, label in answers:
            if len(label) > LABEL_CHARACTERS:
                yield question.id, f"label over {LABEL_CHARACTERS} characters: {label}"
            if len(button_bytes(question.id, value)) > BUTTON_BYTES:
                yield question.id, f"{value}: a button can't carry so long an id"


def button_bytes(question_id: str, value: str) -> bytes:
    """What the longest button of this answer would carry (bot/conversation/buttons.py)."""
    return f"t|{'x' * 6}|{question_id}|{value}".encode()


def _label(option: Option) -> str:
    return f"{option.face} {option.label}" if option.face else option.label


def _kindness_faults(flow: Flow) -> Iterator[Finding]:
    for said in flow_texts(flow):
        for message in unkind(said.text, flow.audience):
            yield said.where, message
        for gap in sorted(_placeholders(said.text) - GAPS):
            yield said.where, f"nothing fills in {{{gap}}}"
    for said in read_texts(flow):
        age = reading_age(said.text)
        if age is not None and age >= OLDEST + 1:
            yield said.where, f"takes a reader of {age:.0f}: {OLDEST:.0f} is the most"
    for question in flow.questions:
        if flow.audience is Audience.CHILD:
            skips = flow.skips_of(question)
            yield from ((question.id, message) for message in _unkind_to_a_child(question, skips))


def _unkind_to_a_child(question: Question, skips: Collection[Skip]) -> Iterator[str]:
    if question.type is QuestionType.CARD:
        return
    if Skip.SKIPPED not in skips:
        yield "a child can't skip this question"
    if not question.another_way:
        yield "a child can't have this asked another way: give it another_way"
    if question.type is QuestionType.TEXT and not question.help:
        yield "a child isn't told what to leave out of their own words: give it help"
    elif not says_what_to_leave_out(question):
        yield "a child is not told what to leave out here (names, places)"


def _first_faults(flow: Flow) -> Iterator[Finding]:
    """Nothing is sent before the person was told who reads it and asked if all are safe: on every
    way, so that neither may hang on another answer, nor come after one that sends at once."""
    if not any(ending.kind == "submission" for ending in flow.endings):
        return
    always = [question for question in flow.questions if question.when is None]
    if not any(q.type is QuestionType.CARD and q.id == "privacy" for q in always):
        yield flow.id, "is sent without a card `privacy` that everyone sees: who reads it"
    if not any(map(_asks_if_safe, always)):
        yield flow.id, "is sent without a question that asks everyone if all are safe"
    for question in flow.questions:
        for option in question.options:
            ending = flow.ending_by_id.get(option.ends or "")
            if ending is not None and ending.kind == "submission":
                yield question.id, f"{option.value} sends at once: end after the last question"


def _asks_if_safe(question: Question) -> bool:
    return any(option.disclosure is not None for option in question.options)


def _retired_faults(flow: Flow) -> Iterator[Finding]:
    for question in flow.questions:
        if question.id in flow.retired:
            yield question.id, "was another question once, so this needs an id of its own"


def _way_faults(flow: Flow) -> Iterator[Finding]:
    try:
        walked = list(ways(flow))
    except OverflowError as error:
        yield flow.id, str(error)
        return
    asked = {name for way in walked for name in way.answers}
    reached = {way.ending.id for way in walked if way.ending is not None}
    for question in flow.questions:
        if question.id not in asked and not question.upon_harm:
            yield question.id, "no way through the flow ever asks this"
    for ending in flow.endings:
        if ending.id not in reached:
            yield ending.id, "no way through the flow ever ends here"
    if any(way.ending is None for way in walked):
        yield flow.id, "a way through the flow has no ending: give the last one no condition"


# --- Directory, authorities, policy -------------------------------------------------------


def _directory_faults(content: Content) -> Iterator[Fault]:
    yield from _entitlement_faults(content)
    for notice in content.notices.values():
        page = content.pages[f"notice {notice.id}"]
        for line in notice.helplines:
            if message := _no_such_line(content, line):
                yield page.fault_near(notice.id, message)


def _entitlement_faults(content: Content) -> Iterator[Fault]:
    circumstances = _answers(content, *SITUATIONS)
    councils = set(content.authorities) | _answers(content, Fact.COUNCIL, Fact.HOME_COUNCIL)
    for row in content.entitlements.values():
        page = content.pages[f"entitlement {row.id}"]
        if unknown := set(row.who.circumstances) - circumstances:
            yield page.fault_near(row.id, f"no flow asks about {', '.join(sorted(unknown))}")
        if unknown := {*row.who.councils, *row.who.home_councils} - councils:
            yield page.fault_near(row.id, f"no authority {', '.join(sorted(unknown))}")
        if row.review_by <= row.checked:
            yield page.fault_near(row.id, "review_by must come after the day it was checked")
        if any("£" in words for words in (row.title, row.what, row.decides, row.how)):
            yield page.fault_near(row.id, "a sum stands in `amount`, where it can be left out")


def _answers(content: Content, *facts: Fact) -> set[str]:
    """Every answer that some flow offers where it asks for one of these facts."""
    return {
        option.value
        for flow in content.flows.values()
        for question in flow.questions
        if question.fact in facts
        for option in question.options
    }


def _finding_faults(content: Content) -> Iterator[Fault]:
    for row in content.misconceptions.values():
        page = content.pages[f"misconception {row.id}"]
        if unknown := sorted(set(row.entitlements) - set(content.entitlements)):
            yield page.fault_near(row.id, f"there is no entitlement {', '.join(unknown)}")
    known = {
        Findable.ENTITLEMENT: set(content.entitlements),
        Findable.ANSWER: {a.id for pack in content.authorities.values() for a in pack.answers},
        Findable.FLOW: set(content.flows),
        Findable.CORRECTION: set(content.misconceptions),
        Findable.HELP: {HELP_NOW},
        Findable.NOTHING: {NOT_OURS},
    }
    for kind, asked in content.asked_as.items():
        for id_ in asked:
            if id_ not in known[kind]:
                page = content.pages[f"asked-as {kind}"]
                yield page.fault((id_,), f"there is no {kind} {id_}")


def _screening_faults(content: Content) -> Iterator[Fault]:
    policy, page = content.screening, content.pages["screening"]
    for audience in sorted({flow.audience for flow in content.flows.values()}):
        always = policy.notices.get(audience, {})
        if missing := {Urgency.URGENT, Urgency.CONCERN} - set(always):
            yield page.fault(
                ("notices",), f"no notice for {audience}, {', '.join(sorted(missing))}"
            )
        for name in (*always.values(), *policy.fitting.get(audience, {}).values()):
            if name not in content.notices:
                yield page.fault(("notices",), f"there is no safety notice {name}")
    if missing := {Urgency.URGENT, Urgency.CONCERN} - set(policy.priority):
        yield page.fault(("priority",), f"no level for {', '.join(sorted(missing))}")
    for index, phrase in enumerate(policy.phrases):
        if phrase.category not in policy.categories:
            where = ("phrases", index, "category")
            yield page.fault(where, f"there is no category {phrase.category}")
    asking = {f.id for f in content.flows.values() if any(q.upon_harm for q in f.questions)}
    for name in sorted(set(content.flows) - asking) if asking else ():
        flow_page = content.pages[f"flow {name}"]
        yield flow_page.fault(("questions",), "asks nothing upon harm, as the other flows do")


def _authority_faults(content: Content) -> Iterator[Fault]:
    for authority in content.authorities.values():
        page = content.pages[f"authority {authority.id}"]
        if missing := {level.value for level in Level} - set(authority.promises):
            yield page.fault(("promises",), f"no promise for {', '.join(sorted(missing))}")
        if contrast_with_white(authority.colour) < 4.5:
            yield page.fault(("colour",), "white text on it has too little contrast (under 4.5)")
        if FIRST_TEAM not in authority.teams:
            yield page.fault(("teams",), f"no team {FIRST_TEAM}, to which people are added")
        if all(answer.id != WHO_TO_ASK for answer in authority.answers):
            said = f"no answer {WHO_TO_ASK}, for a question that finds nothing"
            yield page.fault(("answers",), said)
        yield from _row_faults(page, "answer", authority.answers)
        yield from _row_faults(page, "helpline", authority.helplines)


def _row_faults(page: Page, kind: str, rows: Sequence[ServiceAnswer | Helpline]) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, row in enumerate(rows):
        if row.id in seen:
            yield page.fault((f"{kind}s", index, "id"), f"id used twice: {row.id}")
        seen.add(row.id)


def contrast_with_white(colour: str) -> float:
    """Contrast ratio with white, 1 to 21 (WCAG 2.2, relative luminance)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    luminance = sum(weight * p for weight, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return 1.05 / (luminance + 0.05)


def _policy_faults(content: Content) -> Iterator[Fault]:
    priorities, kinds = content.pages["policy priorities"], content.pages["policy kinds"]
    if missing := set(Level) - set(content.policy.priorities):
        yield priorities.fault((), f"no label for {', '.join(sorted(missing))}")
    for flow in content.flows.values():
        page = content.pages[f"flow {flow.id}"]
        if flow.submission.kind not in content.policy.kinds:
            yield kinds.fault((), f"there is no kind {flow.submission.kind}, that {flow.id} sends")
        for index, rule in enumerate(flow.priority):
            if rule.when is not None:
                for _, message in _sense(rule.when, flow.id, dict(flow.by_id), flow):
                    yield page.fault(("priority", index, "when"), message)
        for question in flow.questions:
            for option in question.options:
                if option.disclosure and not _rises(content, flow, question, option):
                    told = f"{question.id}={option.value}"
                    urgency = option.disclosure.urgency
                    yield page.fault(("priority",), f"{told} discloses harm, but isn't {urgency}")


def _retention_faults(content: Content) -> Iterator[Fault]:
    page = content.pages["policy retention"]
    for kind in dict.fromkeys(flow.submission.kind for flow in content.flows.values()):
        if kind not in content.policy.retention.submission:
            yield page.fault(("submission",), f"no period for {kind}: how long is it kept?")


def _rises(content: Content, flow: Flow, question: Question, option: Option) -> bool:
    """Whether what this choice discloses brings a submission near enough to the top."""
    enough = {Urgency.URGENT: (Level.URGENT,), Urgency.CONCERN: (Level.URGENT, Level.HIGH)}
    known = {question.id: frozenset({option.value})}
    return option.disclosure is not None and any(
        rule.level in enough[option.disclosure.urgency]
        for rule in flow.priority
        if rule.when is not None and rule.when.truth(known)
    )


# --- Wording ------------------------------------------------------------------------------


def _wording_faults(content: Content) -> Iterator[Fault]:
    english = content.wording.get("en", {})
    for language, words in content.wording.items():
        for key in sorted(set(english) | set(words)):
            page = content.pages.get(f"wording {language}/{key.split('.')[0]}")
            if page is None:
                yield Fault(f"content/wording/{language}", 1, key, "this file is missing")
            elif key not in words:
                yield page.fault((), f"{key} is missing in {language}")
            elif key not in english:
                yield page.fault(tuple(key.split(".")[1:]), "English has no such words")
            elif _placeholders(words[key]) != _placeholders(english[key]):
                yield page.fault(tuple(key.split(".")[1:]), "names other {gaps} than English")


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


# --- Coverage -----------------------------------------------------------------------------


def _coverage_faults(content: Content) -> Iterator[Fault]:
    for row in content.coverage.values():
        page = content.pages[f"coverage {row.id}"]
        for place in row.carried:
            if not _is_asked(content, *place.split(".")):
                yield page.fault_near(row.id, f"nothing asks {place}")


def _is_asked(content: Content, flow: str, question: str = "", *option: str) -> bool:
    asked = content.flows[flow].by_id.get(question) if flow in content.flows else None
    return asked is not None and {*option} <= set(asked.by_value) and len(option) < 2


def report(faults: Iterable[Fault]) -> str:
    """One fault a line, as a person reads it in a terminal."""
    return "\n".join(str(fault) for fault in faults)
