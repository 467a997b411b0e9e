"""A web application firewall in front of the API."""

from pathlib import Path

from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from stacks.api.rest_api import InferenceApi
from stacks.common.filled_document import filled


def add_firewall(scope: Construct, *, name: str, front: InferenceApi, requests_in_5_minutes: int) -> None:
    """Limit each address, refuse large bodies, and apply AWS's common rules to all but the bodies.

    An address that sends more than `requests_in_5_minutes` is blocked for a while.
    """
    acl = waf.CfnWebACL(
        scope,
        "Acl",
        name=name,
        description=f"Firewall of {name}",
        scope="REGIONAL",
        default_action=waf.CfnWebACL.DefaultActionProperty(allow={}),
        visibility_config=waf.CfnWebACL.VisibilityConfigProperty(
            cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=False
        ),
    )
    values = {"name": name, "requests_in_5_minutes": requests_in_5_minutes}
    acl.add_property_override("Rules", filled(Path(__file__).with_suffix(".yaml"), {}, values)["Rules"])
    waf.CfnWebACLAssociation(scope, "Stage", resource_arn=front.stage.stage_arn, web_acl_arn=acl.attr_arn)
