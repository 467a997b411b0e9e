"""The serverless endpoint: the released model package, else the configured hub model, else nothing yet."""

from __future__ import annotations

from aws_cdk import CfnCondition, CfnParameter, CfnWaitConditionHandle, Fn
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from stacks.config import ServingConfig

VARIANT = "AllTraffic"
"""Keeps its name over all updates: an update must not look like a new variant."""


class ServerlessEndpoint(Construct):
    """Model, endpoint config and endpoint, switched by the parameter ``ModelPackageArn``.

    Model and endpoint config are unnamed so that CloudFormation can replace them; only the endpoint has a name.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint_name: str,
        serving: ServingConfig,
        role_arn: str,
        image_uri: str,
    ) -> None:
        """Create the endpoint.

        Args:
            scope: the stack; the parameter takes its name from being its direct child.
            construct_id: name within the parent.
            endpoint_name: name of the endpoint.
            serving: hub model, memory and concurrency.
            role_arn: execution role of the model.
            image_uri: inference image for the hub model; a package brings its own.
        """
        super().__init__(scope, construct_id)
        package = CfnParameter(
            scope,
            "ModelPackageArn",
            default="",
            allowed_pattern=r"|arn:[a-z-]+:sagemaker:[a-z0-9-]+:[0-9]{12}:model-package/[a-zA-Z0-9-]+/[0-9]+",
            constraint_description="empty, or the ARN of a model package version",
            description="The released model package. Empty: the hub model of the configuration, or no endpoint yet.",
        )
        self._role_arn = role_arn
        released = CfnCondition(scope, "HasModelPackage", expression=Fn.condition_not(Fn.condition_equals(package, "")))
        # A stack needs a resource that exists whatever the conditions say; this one stands for nothing.
        CfnWaitConditionHandle(self, "Placeholder")
        model = self._package_model(package.value_as_string, released)
        model_name: str = model.attr_model_name
        condition: CfnCondition | None = released
        if serving.hub_model_id:
            hub_model = self._hub_model(serving, image_uri)
            hub_model.cfn_options.condition = CfnCondition(
                scope, "HasNoModelPackage", expression=Fn.condition_equals(package, "")
            )
            model_name = Fn.condition_if(released.logical_id, model_name, hub_model.attr_model_name).to_string()
            condition = None
        endpoint_config = sagemaker.CfnEndpointConfig(
            self,
            "EndpointConfig",
            production_variants=[
                sagemaker.CfnEndpointConfig.ProductionVariantProperty(
                    variant_name=VARIANT,
                    model_name=model_name,
                    initial_variant_weight=1,
                    serverless_config=sagemaker.CfnEndpointConfig.ServerlessConfigProperty(
                        memory_size_in_mb=serving.memory_mb, max_concurrency=serving.max_concurrency
                    ),
                )
            ],
        )
        endpoint = sagemaker.CfnEndpoint(
            self,
            "Endpoint",
            endpoint_name=endpoint_name,
            endpoint_config_name=endpoint_config.attr_endpoint_config_name,
        )
        for resource in (endpoint_config, endpoint):
            resource.cfn_options.condition = condition

    def _package_model(self, arn: str, released: CfnCondition) -> sagemaker.CfnModel:
        model = sagemaker.CfnModel(
            self,
            "PackageModel",
            execution_role_arn=self._role_arn,
            primary_container=sagemaker.CfnModel.ContainerDefinitionProperty(
                model_package_name=arn,
                # …:model-package/<group>/<version>: the API tells callers which version answered.
                environment={"MODEL_VERSION": Fn.select(2, Fn.split("/", arn))},
            ),
        )
        model.cfn_options.condition = released
        return model

    def _hub_model(self, serving: ServingConfig, image_uri: str) -> sagemaker.CfnModel:
        environment = {
            "HF_MODEL_ID": serving.hub_model_id,
            "HF_TASK": "text-classification",
            "SAGEMAKER_MODEL_SERVER_WORKERS": "1",  # serverless runs one
        }
        if serving.hub_model_revision:
            environment["HF_MODEL_REVISION"] = serving.hub_model_revision
        return sagemaker.CfnModel(
            self,
            "HubModel",
            execution_role_arn=self._role_arn,
            primary_container=sagemaker.CfnModel.ContainerDefinitionProperty(image=image_uri, environment=environment),
        )
