"""Files to Content: read once, checked, immutable; an error names file, line and key."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from content.included import taken, wrong
from content.schema import (
    AlertPolicy,
    AskedAs,
    Audience,
    Authority,
    Channel,
    CoverageRow,
    Entitlement,
    FactsPolicy,
    Findable,
    Flow,
    Helpline,
    Id,
    Kind,
    Level,
    LimitsPolicy,
    Misconception,
    Notice,
    OpeningPolicy,
    Policy,
    RetentionPolicy,
    ScreeningPolicy,
    Synonyms,
    Text,
    Ways,
)

HERE = Path(__file__).parent
Model = TypeVar("Model", bound=BaseModel)
Wording = Mapping[str, str]
"""Interface words by dotted key: `conversation.say.saved` -> "Saved"."""


@dataclass(frozen=True)
class Fault:
    """Something wrong in a content file."""

    file: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.key}: {self.message}"


class ContentError(Exception):
    """Content that can't be served. Its text is one fault a line."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


class _Yaml(yaml.CSafeLoader):
    """YAML as people mean it: `no` is a word, 12:30 is a time of day, a key stands once."""


# Only true/false are booleans and only plain digits are numbers; the YAML 1.1 rules would
# turn the option value `no` into False and a phone number with a leading nought into octal.
_Yaml.yaml_implicit_resolvers = {
    first: [(tag, rule) for tag, rule in rules if not tag.endswith((":bool", ":int", ":float"))]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Yaml.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(true|false)$"), list("tf"))
_Yaml.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^(0|-?[1-9][0-9]*)$"), list("-0123456789")
)


def _mapping(loader: _Yaml, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[str] = set()
    for key, _ in node.value:
        if key.value in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"key given twice: {key.value}", key.start_mark
            )
        seen.add(key.value)
    return loader.construct_mapping(node, deep=True)


_Yaml.add_constructor("tag:yaml.org,2002:map", _mapping)


@dataclass(frozen=True, repr=False)
class Page:
    """One content file: its value, and where in it each thing stands."""

    file: str
    node: yaml.Node
    value: Any

    def fault(self, loc: tuple[str | int, ...], message: str) -> Fault:
        """A fault at a place given as keys and indexes, as deep as it can be followed."""
        node, mark, keys = self.node, self.node.start_mark, []
        for step in loc:
            if isinstance(node, yaml.MappingNode):
                hit = next((pair for pair in node.value if pair[0].value == str(step)), None)
                if hit is None:  # a pydantic tag, or a key that is missing
                    continue
                mark, node = hit[0].start_mark, hit[1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
                if step >= len(node.value):
                    break
                node = node.value[step]
                mark = node.start_mark
            keys.append(str(step))
        return Fault(mark.name, mark.line + 1, ".".join(keys) or "(file)", message)

    def fault_near(self, identity: str, message: str) -> Fault:
        """A fault at the mapping with this `id`, `value` or `repeat`; the file's top if none."""
        for node in _mappings(self.node):
            for key, value in node.value:
                named = key.value in ("id", "value", "repeat", "flow")
                if named and getattr(value, "value", None) == identity:
                    mark = node.start_mark
                    return Fault(mark.name, mark.line + 1, identity, message)
        return Fault(self.file, 1, identity, message)


def _mappings(node: yaml.Node) -> Iterator[yaml.MappingNode]:
    if isinstance(node, yaml.MappingNode):
        yield node
        for _, value in node.value:
            yield from _mappings(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _mappings(item)


@dataclass(frozen=True, repr=False)
class Content:
    """Everything asked and said, as served. `pages` remembers where each thing was written."""

    flows: Mapping[str, Flow]
    entitlements: Mapping[str, Entitlement]
    misconceptions: Mapping[str, Misconception]
    asked_as: AskedAs
    synonyms: Synonyms
    national_helplines: Mapping[str, Helpline]
    notices: Mapping[str, Notice]
    screening: ScreeningPolicy
    authorities: Mapping[str, Authority]
    policy: Policy
    wording: Mapping[str, Wording]
    coverage: Mapping[str, CoverageRow]
    unused_parts: tuple[str, ...]
    """Files of parts that nothing puts in."""
    pages: Mapping[str, Page]
    """Kind and id ("flow raise-a-concern") -> the file it stands in."""

    @cached_property
    def hash(self) -> str:
        """Changes when anything served changes."""
        return _digest({name: page.value for name, page in self.pages.items()})

    @cached_property
    def flow_hashes(self) -> Mapping[str, str]:
        return {
            id_: _digest(flow.model_dump(mode="json", exclude={"priority"}))
            for id_, flow in self.flows.items()
        }

    def served_by(self, authority: str) -> Content:
        """The same content with {council} and {virtual_school} named, in flows and notices."""
        pack = self.authorities[authority]
        gaps = {"{council}": pack.council, "{virtual_school}": pack.virtual_school}
        return replace(
            self,
            flows={name: _filled(flow, gaps) for name, flow in self.flows.items()},
            notices={name: _filled(notice, gaps) for name, notice in self.notices.items()},
        )

    def offered(
        self, channels: Container[Channel], audience: Audience | None = None
    ) -> Mapping[str, tuple[Flow, ...]]:
        """What can be begun there (by them), by group, in the order of policy/kinds.yaml."""
        groups: dict[str, list[Flow]] = {}
        for kind, described in self.policy.kinds.items():
            for flow in self.flows.values():
                there = any(channel in channels for channel in flow.channels)
                fits = audience in (None, flow.audience, *flow.also_for)
                begins = not flow.withdrawn and not flow.submission.addition
                if flow.submission.kind == kind and there and fits and begins:
                    groups.setdefault(described.group, []).append(flow)
        return {group: tuple(flows) for group, flows in groups.items()}

    def helplines(self, authority: str) -> Mapping[str, Helpline]:
        """The national lines and the authority's own, by id; local ones win."""
        local = {line.id: line for line in self.authorities[authority].helplines}
        return {**self.national_helplines, **local}


def _filled(thing: Model, gaps: Mapping[str, str]) -> Model:
    written = thing.model_dump_json(by_alias=True)
    for gap, words in gaps.items():
        written = written.replace(gap, json.dumps(words)[1:-1])
    return type(thing).model_validate_json(written)


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read(folder: Path = HERE) -> Content:
    """Read every content file. Raises ContentError with every fault of shape found."""
    reader = _Reader(folder)
    flows = reader.each("flow", "flows", Flow)
    authorities = reader.each("authority", "authorities", Authority)
    policy = reader.policy()
    content = Content(
        flows=flows,
        entitlements=reader.rows("entitlement", "directory/entitlements", Entitlement),
        misconceptions=reader.rows("misconception", "directory/misconceptions", Misconception),
        asked_as=reader.asked_as(),
        synonyms=reader.whole("synonyms", "directory/synonyms", Synonyms),
        national_helplines=reader.rows("helpline", "directory/helplines", Helpline),
        notices=reader.rows("notice", "safeguarding/notices", Notice),
        screening=reader.screening(),  # type: ignore[arg-type]  # None only with faults
        authorities=authorities,
        policy=policy,  # type: ignore[arg-type]  # None only with faults, raised below
        wording=reader.wording(),
        coverage=reader.rows("coverage", "coverage", CoverageRow),
        unused_parts=reader.unused_parts(),
        pages=MappingProxyType(reader.pages),
    )
    if reader.faults:
        raise ContentError(reader.faults)
    return content


class _Reader:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.faults: list[Fault] = []
        self.pages: dict[str, Page] = {}
        self.parts: dict[Path, Page] = {}

    def page(self, path: Path) -> Page | None:
        """Read one file; a file that isn't YAML is a fault."""
        name = f"content/{path.relative_to(self.folder)}"
        stream = io.BytesIO(path.read_bytes())
        stream.name = name
        loader = _Yaml(stream)
        try:
            node = loader.get_single_node()
            self._put_in_parts(node)
            value = node and loader.construct_document(node)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self.faults.append(
                Fault(name, mark.line + 1 if mark else 1, "(file)", error.problem or "not YAML")
            )
            return None
        if node is None:
            self.faults.append(Fault(name, 1, "(file)", "the file is empty"))
            return None
        return Page(name, node, value)

    def _put_in_parts(self, page: yaml.Node | None) -> None:
        """`- part: safety` in a list becomes what the same list of parts/safety.yaml holds, as
        far as this flow takes it in. What is put in remembers where it was written."""
        for key, listed in page.value if isinstance(page, yaml.MappingNode) else ():
            if isinstance(listed, yaml.SequenceNode):
                listed.value[:] = [
                    each for item in listed.value for each in self._whole(item, key.value)
                ]

    def _whole(self, item: yaml.Node, listed: str) -> list[yaml.Node]:
        if not isinstance(item, yaml.MappingNode):
            return [item]
        told = {key.value: value for key, value in item.value}
        if "part" not in told:
            return [item]
        path = self.folder / "parts" / f"{told['part'].value}.yaml"
        if not path.exists():
            raise wrong(item, f"there is no part {told['part'].value}")
        if path not in self.parts and (part := self.page(path)) is not None:
            self.parts[path] = part
        found = self.parts[path].node.value if path in self.parts else ()
        inner = next((value.value for key, value in found if key.value == listed), None)
        if inner is None:
            raise wrong(item, f"{told['part'].value} has no {listed}")
        return taken(item, inner)

    def unused_parts(self) -> tuple[str, ...]:
        every = sorted((self.folder / "parts").glob("*.yaml"))
        return tuple(f"content/parts/{path.name}" for path in every if path not in self.parts)

    def shaped(self, page: Page, shape: Any, loc: tuple[str | int, ...] = ()) -> Any:
        value = page.value
        for step in loc:
            value = value[step]
        try:
            return TypeAdapter(shape).validate_python(value)
        except ValidationError as error:
            self.faults += [
                page.fault((*loc, *fault["loc"]), _said(fault)) for fault in error.errors()
            ]
            return None

    def each(self, kind: str, folder: str, model: type[Model]) -> Mapping[str, Model]:
        """One thing a file, named as the file is; in the order of the names, 9 before 10."""
        found: dict[str, Model] = {}
        for path in sorted((self.folder / folder).glob("*.yaml"), key=_counting):
            if (page := self.page(path)) is None:
                continue
            if (thing := self.shaped(page, model)) is None:
                continue
            if thing.id != path.stem:
                self.faults.append(page.fault(("id",), f"must be the file's name, {path.stem}"))
            found[thing.id] = thing
            self.pages[f"{kind} {thing.id}"] = page
        return MappingProxyType(found)

    def rows(self, kind: str, place: str, model: type[Model]) -> Mapping[str, Model]:
        """A list of things: in one file, or in every file of a folder of that name."""
        single = self.folder / f"{place}.yaml"
        paths = [single] if single.exists() else sorted((self.folder / place).glob("*.yaml"))
        found: dict[str, Model] = {}
        for path in paths:
            if (page := self.page(path)) is None:
                continue
            if not isinstance(page.value, list):
                self.faults.append(page.fault((), "must be a list"))
                continue
            for index in range(len(page.value)):
                if (row := self.shaped(page, model, (index,))) is None:
                    continue
                if row.id in found:
                    self.faults.append(page.fault((index, "id"), f"id used twice: {row.id}"))
                found[row.id] = row
                self.pages[f"{kind} {row.id}"] = page
        return MappingProxyType(found)

    def whole(self, kind: str, place: str, shape: Any) -> Any:
        """One file that is a mapping; none of it where there is no such file."""
        path = self.folder / f"{place}.yaml"
        if not path.exists() or (page := self.page(path)) is None:
            return MappingProxyType({})
        self.pages[kind] = page
        return MappingProxyType(self.shaped(page, shape) or {})

    def asked_as(self) -> AskedAs:
        """A file for each kind of thing that can be found."""
        return MappingProxyType(
            {
                kind: self.whole(
                    f"asked-as {kind}", f"directory/asked-as/{kind}", Mapping[Id, Ways]
                )
                for kind in Findable
            }
        )

    def screening(self) -> ScreeningPolicy | None:
        page = self.page(self.folder / "safeguarding" / "screening.yaml")
        if page is None:
            return None
        self.pages["screening"] = page
        shaped: ScreeningPolicy | None = self.shaped(page, ScreeningPolicy)
        return shaped

    def policy(self) -> Policy | None:
        parts: dict[str, Any] = {}
        shapes = {
            "priorities": Mapping[Level, Text],
            "kinds": Mapping[Id, Kind],
            "retention": RetentionPolicy,
            "openings": OpeningPolicy,
            "limits": LimitsPolicy,
            "facts": FactsPolicy,
            "alerts": AlertPolicy,
            "handles": tuple[tuple[str, ...], tuple[str, ...]],
        }
        for name, shape in shapes.items():
            if (page := self.page(self.folder / "policy" / f"{name}.yaml")) is None:
                return None
            self.pages[f"policy {name}"] = page
            parts[name] = self.shaped(page, shape)
        return None if None in parts.values() else Policy(**parts)

    def wording(self) -> Mapping[str, Wording]:
        """wording/<language>/<place>.yaml, flattened: the file's name is the key's first part."""
        languages: dict[str, Wording] = {}
        for folder in sorted(p for p in (self.folder / "wording").iterdir() if p.is_dir()):
            words: dict[str, str] = {}
            for path in sorted(folder.glob("*.yaml")):
                if (page := self.page(path)) is None:
                    continue
                self.pages[f"wording {folder.name}/{path.stem}"] = page
                for loc, value in _leaves(page.value):
                    if not isinstance(value, str):
                        self.faults.append(page.fault(loc, "must be words; quote it"))
                    else:
                        words[".".join((path.stem, *loc))] = value.strip()
            languages[folder.name] = MappingProxyType(words)
        return MappingProxyType(languages)


def _said(fault: ErrorDetails) -> str:
    """What is wrong, in words that say which key it is."""
    if fault["type"] == "missing":
        return f"{fault['loc'][-1]} is missing"
    if fault["type"] == "extra_forbidden":
        return "there is no such key"
    return fault["msg"].removeprefix("Value error, ")


def _counting(path: Path) -> list[str | int]:
    parts = re.split(r"(\d+)", path.stem)
    return [int(part) if part.isdigit() else part for part in parts]


def _leaves(value: Any, loc: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*loc, str(key)))
    else:
        yield loc, value
