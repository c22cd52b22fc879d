"""Rules that approve requests for access by themselves, and the lists that a CRM keeps for them."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from service.access import Scope
from service.access_rules import MAX_MEMBERS
from service.errors import Problem
from service.records import AccessRule, NdaMode, RuleKind, RuleMember
from service.terms import DEFAULT_SHARE_LIFE, MAX_DOWNLOADS, MAX_SHARE_LIFE
from service.web.api.callers import Call
from service.web.api.routing import Routes
from service.web.api.shapes import (
    Answer,
    DocumentId,
    Domain,
    Form,
    Listed,
    Mail,
    MemberId,
    Moment,
    Optional,
    Page,
    RuleId,
    paged,
)

routes = Routes("rules", "What approves requests for access by itself: a mail domain, an agreement, a list.")


class RulePath(Form):
    """The address of a rule."""

    rule_id: RuleId


class RulesQuery(Page):
    """A page of rules."""

    after: Optional[RuleId] = None
    in_force: Optional[Annotated[Literal["true"], Field(description="Only those that are not removed.")]] = (
        None
    )


class MembersQuery(Page):
    """A page of a list."""

    after: Optional[MemberId] = None


class NewRule(Form):
    """A rule, and the policy of the shares that it makes."""

    kind: RuleKind = Field(
        description="`domain`: the mail domain is the rule's. `nda`: an agreement is in force for the recipient or "
        "their company. `list`: the address stands on the rule's list."
    )
    document: DocumentId | None = Field(
        default=None, description="Default: every document that the trust page lists."
    )
    domain: Domain | None = Field(
        default=None, description="The company's exact mail domain; for `domain`, and never a free-mail one."
    )
    nda: NdaMode = Field(
        default=NdaMode.REQUIRE,
        description="`ask`: without an agreement in force, the recipient signs one on the page first. `require`: the "
        "request then waits for a person.",
    )
    view_only: bool = False
    download_limit: Annotated[int, Field(ge=1, le=MAX_DOWNLOADS)] | None = None
    days: Annotated[int, Field(ge=1, le=MAX_SHARE_LIFE.days, description="How long a share lives.")] = (
        DEFAULT_SHARE_LIFE.days
    )

    @model_validator(mode="after")
    def _domain_with_its_kind(self) -> Self:
        if (self.kind == RuleKind.DOMAIN) != (self.domain is not None):
            raise ValueError("a rule by mail domain names the domain, and no other rule does")
        return self


class Members(Form):
    """Mail addresses."""

    mails: Annotated[list[Mail], Field(max_length=MAX_MEMBERS)]


class RuleAnswer(Answer):
    """A rule."""

    id: RuleId
    kind: RuleKind
    document: DocumentId | None
    domain: str | None = Field(description="Empty once the rule was removed.")
    nda: NdaMode
    view_only: bool
    download_limit: int | None
    days: int
    created_at: Moment
    removed_at: Moment | None


class RuleList(Listed[RuleAnswer]):
    """Rules in order of their id."""


class MemberAnswer(Answer):
    """An address on a list."""

    id: MemberId
    mail: str
    created_at: Moment


class MemberList(Listed[MemberAnswer]):
    """Addresses in order of their id."""


class MembersAnswer(Answer):
    """How many addresses stand on the list now."""

    members: int


def shown(rule: AccessRule) -> RuleAnswer:
    """A rule as the API shows it."""
    return RuleAnswer(
        id=rule.id,
        kind=rule.kind,
        document=rule.document_id,
        domain=rule.domain,
        nda=rule.nda,
        view_only=rule.view_only,
        download_limit=rule.download_limit,
        days=rule.days,
        created_at=rule.created_at,
        removed_at=rule.removed_at,
    )


def _shown_member(member: RuleMember) -> MemberAnswer:
    return MemberAnswer(id=member.id, mail=member.mail, created_at=member.created_at)


@routes.create(
    "/v1/rules",
    scope=Scope.RULES_WRITE,
    answer=RuleAnswer,
    location="/v1/rules/{id}",
    links={
        name: {"rule_id": "#/id"}
        for name in ("rules_show", "rules_remove", "rules_members", "rules_put_members")
    },
    problems=(Problem.NOT_FOUND, Problem.WRONG_STATE),
)
def create(call: Call, body: NewRule) -> RuleAnswer:
    """Add a rule. It applies to requests that are made after it; rules are tried in the order of their making."""
    rule = call.sealmark.access_rules.add(
        call.actor,
        kind=body.kind,
        document_id=body.document,
        domain=body.domain,
        nda=body.nda,
        view_only=body.view_only,
        download_limit=body.download_limit,
        days=body.days,
    )
    return shown(rule)


@routes.get("/v1/rules", scope=Scope.RULES_WRITE, answer=RuleList)
def list_all(call: Call, query: RulesQuery) -> RuleList:
    """List rules."""
    found = call.sealmark.access_rules.list(
        in_force=query.in_force is not None, after=query.after, limit=query.limit + 1
    )
    items, following = paged(found, query.limit, lambda last: last.id)
    return RuleList(items=[shown(item) for item in items], next=following)


@routes.get("/v1/rules/<rule_id>", scope=Scope.RULES_WRITE, answer=RuleAnswer)
def show(call: Call, path: RulePath) -> RuleAnswer:
    """Show a rule."""
    return shown(call.sealmark.access_rules.get(path.rule_id))


@routes.change("post", "/v1/rules/<rule_id>/remove", scope=Scope.RULES_WRITE, answer=RuleAnswer)
def remove(call: Call, path: RulePath) -> RuleAnswer:
    """End a rule and forget its list. What it approved stays approved."""
    return shown(call.sealmark.access_rules.remove(call.actor, path.rule_id))


@routes.get(
    "/v1/rules/<rule_id>/members",
    scope=Scope.RULES_WRITE,
    answer=MemberList,
    problems=(Problem.WRONG_STATE,),
)
def members(call: Call, path: RulePath, query: MembersQuery) -> MemberList:
    """List who stands on a rule's list."""
    found = call.sealmark.access_rules.members(path.rule_id, after=query.after, limit=query.limit + 1)
    items, following = paged(found, query.limit, lambda last: last.id)
    return MemberList(items=[_shown_member(item) for item in items], next=following)


@routes.change(
    "put",
    "/v1/rules/<rule_id>/members",
    scope=Scope.RULES_WRITE,
    answer=MembersAnswer,
    problems=(Problem.WRONG_STATE,),
)
def put_members(call: Call, path: RulePath, body: Members) -> MembersAnswer:
    """Make these addresses the whole list."""
    return MembersAnswer(members=call.sealmark.access_rules.put_members(call.actor, path.rule_id, body.mails))


@routes.change(
    "post",
    "/v1/rules/<rule_id>/members",
    scope=Scope.RULES_WRITE,
    answer=MembersAnswer,
    problems=(Problem.WRONG_STATE,),
)
def add_members(call: Call, path: RulePath, body: Members) -> MembersAnswer:
    """Add addresses to the list."""
    return MembersAnswer(members=call.sealmark.access_rules.add_members(call.actor, path.rule_id, body.mails))


@routes.change(
    "delete",
    "/v1/rules/<rule_id>/members",
    scope=Scope.RULES_WRITE,
    answer=MembersAnswer,
    problems=(Problem.WRONG_STATE,),
)
def remove_members(call: Call, path: RulePath, body: Members) -> MembersAnswer:
    """Take the addresses in the body off the list."""
    return MembersAnswer(
        members=call.sealmark.access_rules.remove_members(call.actor, path.rule_id, body.mails)
    )
