"""The endpoint: it serves the released model package, else the configured hub model, else nothing yet."""

from typing import Any

from aws_cdk import CfnCondition, CfnParameter, CfnWaitConditionHandle, Fn, Stack, Token
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from stacks.common.names import Names
from stacks.config.serving import ServingConfig
from stacks.serving.champion import NO_ENDPOINT, PARAMETER
from stacks.serving.container import HUGGINGFACE_ENVIRONMENT, WORKERS
from stacks.serving.guardrails import guarded_deployment
from stacks.serving.scaling import add_scaling
from stacks.serving.variant import production_variant


class ModelEndpoint(Construct):
    """Model, endpoint config and endpoint, selected by the parameter `ModelPackageArn`.

    SageMaker changes no model and no endpoint config, so CloudFormation replaces them, and their names change with what
    they hold. The endpoint keeps its name.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, names: Names, serving: ServingConfig, image_uri: str
    ) -> None:
        """Create the endpoint.

        `scope`: the stack; the parameter has to be its direct child, or its name would have a prefix. `image_uri`:
        inference image for the hub model; a package brings its own.
        """
        super().__init__(scope, construct_id)
        package = _parameter(scope, names.package_group)
        self._names, self._serving = names, serving
        # …:model-package/<group>/<version>; without a package "hub", as a Select that finds nothing is an error.
        self._version = Fn.select(2, Fn.split("/", f"{package.value_as_string}/-/hub"))
        empty, none = Fn.condition_equals(package, ""), Fn.condition_equals(package, NO_ENDPOINT)
        no_package = Fn.condition_or(empty, none)
        released = CfnCondition(scope, "HasModelPackage", expression=Fn.condition_not(no_package))
        # A stack needs a resource that exists whatever the conditions say; this one does nothing.
        CfnWaitConditionHandle(self, "Placeholder")
        model = self._model(
            "PackageModel",
            self._version,
            # What every package says too: SageMaker does not say whether this replaces its environment or is merged.
            environment={"MODEL_VERSION": self._version, **self._environment},
            model_package_name=package.value_as_string,
        )
        model.cfn_options.condition = condition = released
        model_name, config_name = model.attr_model_name, self._config_name(self._version, model)
        if serving.hub_model_id:
            hub_model = self._hub_model(image_uri)
            hub_model.cfn_options.condition = CfnCondition(scope, "HasNoModelPackage", expression=empty)
            model_name, config_name = (
                Fn.condition_if(released.logical_id, packaged, hub).to_string()
                for packaged, hub in (
                    (model_name, hub_model.attr_model_name),
                    (config_name, self._config_name("hub", hub_model)),
                )
            )
            condition = CfnCondition(scope, "HasEndpoint", expression=Fn.condition_not(none))
        config = sagemaker.CfnEndpointConfig(
            self,
            "EndpointConfig",
            endpoint_config_name=config_name,
            production_variants=[production_variant(serving, model_name=model_name)],
        )
        config.cfn_options.condition = condition
        self._endpoint(names.endpoint, config, condition)

    def _endpoint(self, name: str, config: sagemaker.CfnEndpointConfig, condition: CfnCondition) -> None:
        endpoint = sagemaker.CfnEndpoint(
            self, "Endpoint", endpoint_name=name, endpoint_config_name=config.attr_endpoint_config_name
        )
        endpoint.cfn_options.condition = condition
        if self._serving.kind == "instances":
            guard = Construct(self, "Guard")
            deployment = guarded_deployment(guard, endpoint=endpoint, instances=self._serving.instances)
            endpoint.add_property_override("DeploymentConfig", deployment)
            # A release under load starts as many instances as run now, not the config's initial number.
            endpoint.retain_all_variant_properties = self._serving.scales or None
        if self._serving.scales:
            add_scaling(Construct(self, "Scaling"), endpoint=endpoint, serving=self._serving)

    def _hub_model(self, image_uri: str) -> sagemaker.CfnModel:
        environment = {"HF_MODEL_ID": self._serving.hub_model_id, **self._environment}
        if self._serving.hub_model_revision:
            environment["HF_MODEL_REVISION"] = self._serving.hub_model_revision
        return self._model("HubModel", "hub", image=image_uri, environment=environment)

    def _model(self, construct_id: str, version: str, **container: Any) -> sagemaker.CfnModel:
        properties: dict[str, Any] = {
            "execution_role_arn": self._names.model_role_arn,
            # Serverless endpoints can't have it, and a hub model has to reach the hub.
            "enable_network_isolation": (self._serving.kind == "instances" and construct_id != "HubModel") or None,
            "primary_container": sagemaker.CfnModel.ContainerDefinitionProperty(**container),
        }
        return sagemaker.CfnModel(
            self, construct_id, model_name=self._names.served_name(version, properties), **properties
        )

    def _config_name(self, version: str, model: sagemaker.CfnModel) -> str:
        return self._names.served_name(version, production_variant(self._serving, model_name=str(model.model_name)))

    @property
    def _environment(self) -> dict[str, str]:
        if self._serving.kind == "serverless":
            return HUGGINGFACE_ENVIRONMENT
        return {**HUGGINGFACE_ENVIRONMENT, WORKERS: str(self._serving.instances.workers)}


def _parameter(scope: Construct, package_group: str) -> CfnParameter:
    stack = Stack.of(scope)
    account = "[0-9]{12}" if Token.is_unresolved(stack.account) else stack.account
    return CfnParameter(
        scope,
        PARAMETER,
        default="",
        # One group: the version alone tells its packages apart, in names and in answers.
        allowed_pattern=f"|{NO_ENDPOINT}|arn:[a-z-]+:sagemaker:{stack.region}:{account}:model-package/"
        f"{package_group}/[1-9][0-9]*",
        constraint_description=f"empty, {NO_ENDPOINT}, or the ARN of a version of {package_group}",
        description="The released model package. Empty: the hub model of the configuration, or no endpoint yet. "
        f"{NO_ENDPOINT}: no endpoint.",
    )
