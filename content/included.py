"""What a flow changes of a part it takes in: what it leaves out, where it ends, when it asks.

    - {part: who-and-where, without: [school-area], ends: {role: {public: not-here}}}
    - {part: tried, when: {question: topic, is: learning}}

It works on YAML as it was written, so that a fault is still found on its own line.
"""

from __future__ import annotations

import yaml


def taken(item: yaml.MappingNode, listed: list[yaml.Node]) -> list[yaml.Node]:
    """A part's list as this flow takes it in. The part itself stays as it was."""
    without, ends, when = (_at(item, key) for key in ("without", "ends", "when"))
    left_out = {each.value for each in without.value} if without else set()
    _known(item, left_out, {_id(each) for each in listed}, "leave out")
    kept = [each for each in listed if _id(each) not in left_out]
    endings = {key.value: value for key, value in ends.value} if ends else {}
    _known(item, set(endings), {_id(each) for each in kept}, "end at")
    if endings:
        kept = [
            _ending(each, endings[_id(each)]) if _id(each) in endings else each for each in kept
        ]
    return [_only(each, when) for each in kept] if when else kept


def wrong(node: yaml.Node, message: str) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(None, None, message, node.start_mark)


def _known(item: yaml.MappingNode, named: set[str], there: set[str], purpose: str) -> None:
    if missing := sorted(named - there):
        part = _at(item, "part")
        raise wrong(item, f"{part and part.value} has no {', '.join(missing)} to {purpose}")


def _ending(question: yaml.Node, ends: yaml.Node) -> yaml.Node:
    """The same question, where some choices lead to another ending, or to one at all."""
    places = {value.value: place for value, place in ends.value}
    options = _at(question, "options")
    if options is None:
        raise wrong(ends, f"{_id(question)} has no options to end at")
    if missing := sorted(set(places) - {_value(option) for option in options.value}):
        raise wrong(ends, f"{_id(question)} has no {', '.join(missing)} to end at")
    changed = [
        _with(option, "ends", places[_value(option)]) if _value(option) in places else option
        for option in options.value
    ]
    return _with(question, "options", _like(options, changed))


def _only(question: yaml.Node, when: yaml.Node) -> yaml.Node:
    """The same question, asked only when this holds as well."""
    before = _at(question, "when")
    if before is None:
        return _with(question, "when", when)
    both = yaml.SequenceNode(
        "tag:yaml.org,2002:seq", [before, when], when.start_mark, when.end_mark
    )
    return _with(question, "when", _like(when, [(_word("all", when), both)]))


def _with(node: yaml.Node, name: str, value: yaml.Node) -> yaml.Node:
    rest = [pair for pair in node.value if pair[0].value != name]
    return _like(node, [*rest, (_word(name, value), value)])


def _like(node: yaml.Node, value: object) -> yaml.Node:
    made: yaml.Node = type(node)(node.tag, value, node.start_mark, node.end_mark)
    return made


def _word(text: str, at: yaml.Node) -> yaml.ScalarNode:
    return yaml.ScalarNode("tag:yaml.org,2002:str", text, at.start_mark, at.end_mark)


def _at(node: yaml.Node, name: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value for key, value in pairs if key.value == name), None)


def _id(node: yaml.Node) -> str:
    named = _at(node, "id") or _at(node, "repeat")
    return str(named.value) if named else ""


def _value(option: yaml.Node) -> str:
    value = _at(option, "value")
    return str(value.value) if value else ""
