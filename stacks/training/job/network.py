"""The network of isolated training jobs: from its subnets S3 can be reached, and nothing else but AWS's name resolver.

CDK's own `Vpc` is not used: it looks availability zones up, and adds a function to empty the default security group.
"""

from collections.abc import Sequence
from typing import Any

from aws_cdk import Fn, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.common.permissions import Right, accept, statement

_ADDRESSES = "10.0.0.0/24"
_SUBNETS = ("10.0.0.0/25", "10.0.0.128/25")
"""One in each of two zones: SageMaker takes the one that has the instance."""

# "CreateTrainingJob API: Execution Role Permissions", Amazon SageMaker AI Developer Guide, for a job with a VPC. The
# guide allows all of it on every resource.
_LOOK = ("NetworkInterfaces", "Vpcs", "DhcpOptions", "Subnets", "SecurityGroups")
_HANDLE = ("CreateNetworkInterfacePermission", "DeleteNetworkInterface", "DeleteNetworkInterfacePermission")
_INTERFACE = "An interface has no id before SageMaker makes it"


class IsolatedNetwork:
    """Two subnets without a way out, a gateway to S3, and a security group whose members reach each other."""

    def __init__(self, scope: Construct, *, reachable: Sequence[Right]) -> None:
        """Create the network; `reachable`: what jobs do in S3. The gateway lets nothing else through."""
        self._stack = Stack.of(scope)
        vpc = ec2.CfnVPC(scope, "Vpc", cidr_block=_ADDRESSES)
        accept(vpc, "AwsSolutions-VPC7", "Nothing leaves it but requests to S3, which the buckets' access logs list.")
        routes = ec2.CfnRouteTable(scope, "Routes", vpc_id=vpc.ref)
        self._subnets: list[str] = []
        for n, block in enumerate(_SUBNETS, 1):
            zone = Fn.select(n - 1, Fn.get_azs())
            subnet = ec2.CfnSubnet(scope, f"Subnet{n}", vpc_id=vpc.ref, cidr_block=block, availability_zone=zone)
            ec2.CfnSubnetRouteTableAssociation(scope, f"Routes{n}", subnet_id=subnet.ref, route_table_id=routes.ref)
            self._subnets.append(subnet.ref)
        ec2.CfnVPCEndpoint(
            scope,
            "S3",
            vpc_id=vpc.ref,
            service_name=f"com.amazonaws.{self._stack.region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=[routes.ref],
            # It can name no other principal; roles still need the right.
            policy_document=iam.PolicyDocument(statements=[statement(one, iam.StarPrincipal()) for one in reachable]),
        )
        group = ec2.CfnSecurityGroup(
            scope, "Group", vpc_id=vpc.ref, group_description="Instances of one training job reach each other"
        )
        self._group = group.attr_group_id
        ec2.CfnSecurityGroupIngress(
            scope, "Members", group_id=self._group, source_security_group_id=self._group, ip_protocol="-1"
        )

    @property
    def vpc_config(self) -> dict[str, Any]:
        """A job's `VpcConfig`."""
        return {"SecurityGroupIds": [self._group], "Subnets": self._subnets}

    @property
    def rights(self) -> list[Right]:
        """What a job's role needs so that SageMaker connects the instances with this network, and with no other."""
        subnets = [self._arn("subnet", subnet) for subnet in self._subnets]
        interfaces = self._arn("network-interface", "*")
        return [
            Right(
                ["ec2:CreateNetworkInterface"],
                [*subnets, self._arn("security-group", self._group), interfaces],
                f"{_INTERFACE}; it can only be made in these subnets.",
            ),
            Right(
                [f"ec2:{action}" for action in _HANDLE],
                [interfaces],
                f"{_INTERFACE}; the condition names the subnets.",
                conditions={"ArnEquals": {"ec2:Subnet": subnets}},
            ),
            Right([f"ec2:Describe{kind}" for kind in _LOOK], ["*"], "They have no resource-level permissions."),
        ]

    def _arn(self, kind: str, name: str) -> str:
        return self._stack.format_arn(service="ec2", resource=kind, resource_name=name)
