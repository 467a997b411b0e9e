"""A web application firewall in front of the API."""

from typing import Any

from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from stacks.api.rest_api import InferenceApi

# Rules of the common set that inspect bodies. A review may quote HTML or a path, and a list is longer than 8 KB, so
# these rules count and don't block. The contract's schema checks bodies here.
COUNTED_BODY_RULES = (
    "SizeRestrictions_BODY",
    "CrossSiteScripting_BODY",
    "GenericLFI_BODY",
    "GenericRFI_BODY",
    "EC2MetaDataSSRF_BODY",
)

TOO_LARGE = "^0*(4[2-9][0-9]{5}|[5-9][0-9]{6}|[1-9][0-9]{7,})$"
"""A Content-Length of 4.2 MB or more. The contract's limit is 4 MiB. The firewall can only match the header as text,
because it sees only the first 16 KB of a body."""


def add_firewall(scope: Construct, *, name: str, front: InferenceApi, requests_in_5_minutes: int) -> None:
    """Limit each address, refuse large bodies, and apply AWS's common rules to all but the bodies.

    An address that sends more than `requests_in_5_minutes` is blocked for a while.
    """
    rate = waf.CfnWebACL.RateBasedStatementProperty(limit=requests_in_5_minutes, aggregate_key_type="IP")
    size = waf.CfnWebACL.RegexMatchStatementProperty(
        regex_string=TOO_LARGE,
        field_to_match=waf.CfnWebACL.FieldToMatchProperty(single_header={"Name": "content-length"}),
        text_transformations=[waf.CfnWebACL.TextTransformationProperty(priority=0, type="NONE")],
    )
    common = waf.CfnWebACL.ManagedRuleGroupStatementProperty(
        vendor_name="AWS",
        name="AWSManagedRulesCommonRuleSet",
        rule_action_overrides=[
            waf.CfnWebACL.RuleActionOverrideProperty(
                name=rule, action_to_use=waf.CfnWebACL.RuleActionProperty(count={})
            )
            for rule in COUNTED_BODY_RULES
        ],
    )
    block = {"action": waf.CfnWebACL.RuleActionProperty(block={})}
    # A group of rules has its own actions.
    grouped = {"override_action": waf.CfnWebACL.OverrideActionProperty(none={})}
    rules: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("rate", {"rate_based_statement": rate}, block),
        ("size", {"regex_match_statement": size}, block),
        ("common", {"managed_rule_group_statement": common}, grouped),
    ]
    acl = waf.CfnWebACL(
        scope,
        "Acl",
        name=name,
        description=f"Firewall of {name}",
        scope="REGIONAL",
        default_action=waf.CfnWebACL.DefaultActionProperty(allow={}),
        visibility_config=_visible(name),
        rules=[
            waf.CfnWebACL.RuleProperty(
                name=rule,
                priority=priority,
                statement=waf.CfnWebACL.StatementProperty(**statement),
                visibility_config=_visible(f"{name}-{rule}"),
                **action,
            )
            for priority, (rule, statement, action) in enumerate(rules)
        ],
    )
    waf.CfnWebACLAssociation(scope, "Stage", resource_arn=front.stage.stage_arn, web_acl_arn=acl.attr_arn)


def _visible(name: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    # Samples of requests hold addresses and headers of callers; metrics are enough.
    return waf.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=False
    )
