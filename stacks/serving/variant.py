"""The one variant of an endpoint config: serverless, or on its own instances."""

from typing import Any

from aws_cdk import aws_sagemaker as sagemaker

from stacks.config.serving import ServingConfig

VARIANT = "AllTraffic"
"""The same in all updates: an update must not look like a new variant."""


def production_variant(
    serving: ServingConfig, *, model_name: str
) -> sagemaker.CfnEndpointConfig.ProductionVariantProperty:
    """Return the variant that answers every request; `model_name` may hold CDK tokens."""
    return sagemaker.CfnEndpointConfig.ProductionVariantProperty(
        variant_name=VARIANT, model_name=model_name, initial_variant_weight=1, **_capacity(serving)
    )


def _capacity(serving: ServingConfig) -> dict[str, Any]:
    if serving.kind == "instances":
        return {"instance_type": serving.instances.instance_type, "initial_instance_count": serving.instances.min_count}
    return {
        "serverless_config": sagemaker.CfnEndpointConfig.ServerlessConfigProperty(
            memory_size_in_mb=serving.memory_mb,
            max_concurrency=serving.max_concurrency,
            # 0 is not a valid value of this property; without it none is provisioned.
            provisioned_concurrency=serving.provisioned_concurrency.min or None,
        )
    }
