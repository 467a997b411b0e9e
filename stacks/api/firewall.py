"""A web application firewall in front of the API."""

from pathlib import Path

from aws_cdk import CfnResource
from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from stacks.api.rest_api import InferenceApi
from stacks.common.filled_document import filled


def add_firewall(scope: Construct, *, name: str, front: InferenceApi, requests_in_5_minutes: int) -> None:
    """Limit each address, refuse large bodies, and apply AWS's common rules to all but the bodies.

    An address that sends more than `requests_in_5_minutes` is blocked for a while.
    """
    values = {"name": name, "requests_in_5_minutes": requests_in_5_minutes}
    properties = filled(Path(__file__).with_suffix(".yaml"), {}, values)
    acl = CfnResource(scope, "Acl", type="AWS::WAFv2::WebACL", properties=properties)
    arn = acl.get_att("Arn").to_string()
    waf.CfnWebACLAssociation(scope, "Stage", resource_arn=front.stage.stage_arn, web_acl_arn=arn)
