"""The endpoint: it serves the released model package, else the configured hub model, else nothing yet."""

from aws_cdk import CfnCondition, CfnParameter, CfnWaitConditionHandle, Fn
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from stacks.config.serving import ServingConfig
from stacks.serving.champion import NO_ENDPOINT, PARAMETER
from stacks.serving.guardrails import guarded_deployment
from stacks.serving.scaling import add_scaling
from stacks.serving.variant import production_variant


class ModelEndpoint(Construct):
    """Model, endpoint config and endpoint, selected by the parameter `ModelPackageArn`.

    Model and endpoint config have no names, so that CloudFormation can replace them; only the endpoint has one.
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

        `scope`: the stack; the parameter has to be its direct child, or its name would have a prefix. `image_uri`:
        inference image for the hub model; a package brings its own.
        """
        super().__init__(scope, construct_id)
        package = CfnParameter(
            scope,
            PARAMETER,
            default="",
            allowed_pattern=rf"|{NO_ENDPOINT}|arn:[a-z-]+:sagemaker:[a-z0-9-]+:[0-9]{{12}}:model-package/[a-zA-Z0-9-]+/[0-9]+",
            constraint_description=f"empty, {NO_ENDPOINT}, or the ARN of a model package version",
            description="The released model package. Empty: the hub model of the configuration, or no endpoint yet. "
            f"{NO_ENDPOINT}: no endpoint.",
        )
        self._role_arn, self._serving = role_arn, serving
        empty, none = Fn.condition_equals(package, ""), Fn.condition_equals(package, NO_ENDPOINT)
        no_package = Fn.condition_or(empty, none)
        released = CfnCondition(scope, "HasModelPackage", expression=Fn.condition_not(no_package))
        # A stack needs a resource that exists whatever the conditions say; this one does nothing.
        CfnWaitConditionHandle(self, "Placeholder")
        model = self._package_model(package.value_as_string, released)
        model_name: str = model.attr_model_name
        condition = released
        if serving.hub_model_id:
            hub_model = self._hub_model(image_uri)
            hub_model.cfn_options.condition = CfnCondition(scope, "HasNoModelPackage", expression=empty)
            model_name = Fn.condition_if(released.logical_id, model_name, hub_model.attr_model_name).to_string()
            condition = CfnCondition(scope, "HasEndpoint", expression=Fn.condition_not(none))
        self._endpoint(endpoint_name, model_name, condition)

    def _endpoint(self, name: str, model_name: str, condition: CfnCondition) -> None:
        config = sagemaker.CfnEndpointConfig(
            self, "EndpointConfig", production_variants=[production_variant(self._serving, model_name=model_name)]
        )
        config.cfn_options.condition = condition
        endpoint = sagemaker.CfnEndpoint(
            self, "Endpoint", endpoint_name=name, endpoint_config_name=config.attr_endpoint_config_name
        )
        endpoint.cfn_options.condition = condition
        if self._serving.kind == "instances":
            endpoint.deployment_config = guarded_deployment(
                Construct(self, "Guard"),
                endpoint_name=name,
                endpoint_config_name=config.attr_endpoint_config_name,
                instances=self._serving.instances,
                condition=condition,
            )
            # A release under load starts as many instances as run now, not the config's initial number.
            endpoint.retain_all_variant_properties = self._serving.scales or None
        if self._serving.scales:
            add_scaling(
                Construct(self, "Scaling"),
                endpoint=endpoint,
                endpoint_name=name,
                serving=self._serving,
                condition=condition,
            )

    def _package_model(self, arn: str, released: CfnCondition) -> sagemaker.CfnModel:
        model = sagemaker.CfnModel(
            self,
            "PackageModel",
            execution_role_arn=self._role_arn,
            # Serverless endpoints can't have it, and a hub model has to reach the hub.
            enable_network_isolation=self._serving.kind == "instances" or None,
            primary_container=sagemaker.CfnModel.ContainerDefinitionProperty(
                model_package_name=arn,
                environment={
                    # …:model-package/<group>/<version>: the API reports which version answered.
                    "MODEL_VERSION": Fn.select(2, Fn.split("/", arn)),
                    # On a serverless endpoint the package brings its own number of workers.
                    **(self._workers if self._serving.kind == "instances" else {}),
                },
            ),
        )
        model.cfn_options.condition = released
        return model

    def _hub_model(self, image_uri: str) -> sagemaker.CfnModel:
        environment = {"HF_MODEL_ID": self._serving.hub_model_id, "HF_TASK": "text-classification", **self._workers}
        if self._serving.hub_model_revision:
            environment["HF_MODEL_REVISION"] = self._serving.hub_model_revision
        return sagemaker.CfnModel(
            self,
            "HubModel",
            execution_role_arn=self._role_arn,
            primary_container=sagemaker.CfnModel.ContainerDefinitionProperty(image=image_uri, environment=environment),
        )

    @property
    def _workers(self) -> dict[str, str]:
        count = self._serving.instances.workers if self._serving.kind == "instances" else 1  # serverless runs one
        return {"SAGEMAKER_MODEL_SERVER_WORKERS": str(count)}
