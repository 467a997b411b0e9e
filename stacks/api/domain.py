"""Your own domain for the API."""

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as targets
from constructs import Construct

from stacks.api.rest_api import InferenceApi
from stacks.config.api import ApiConfig


def add_domain(scope: Construct, *, front: InferenceApi, settings: ApiConfig) -> str:
    """Create the domain, and its record where the configuration names a zone; TLS 1.2 at least.

    The domain leads to the stage, whose name is then not part of the URL. Returns what a DNS record has to point to.
    """
    domain = apigateway.DomainName(
        scope,
        "Name",
        domain_name=settings.domain_name,
        certificate=acm.Certificate.from_certificate_arn(scope, "Certificate", settings.certificate_arn),
        endpoint_type=apigateway.EndpointType.REGIONAL,
        security_policy=apigateway.SecurityPolicy.TLS_1_2,
    )
    apigateway.BasePathMapping(scope, "Mapping", domain_name=domain, rest_api=front.api, stage=front.stage)
    if settings.hosted_zone_id:
        # The record's name is the whole domain, so the zone's own name is not needed.
        zone = route53.HostedZone.from_hosted_zone_attributes(
            scope, "Zone", hosted_zone_id=settings.hosted_zone_id, zone_name=settings.domain_name
        )
        alias = route53.RecordTarget.from_alias(targets.ApiGatewayDomain(domain))
        route53.ARecord(scope, "Record", zone=zone, target=alias)
    return domain.domain_name_alias_domain_name
