"""The one variant of an endpoint config: serverless, or instances of its own."""

from __future__ import annotations

from typing import Any

from aws_cdk import aws_sagemaker as sagemaker

from stacks.config.serving import ServingConfig

VARIANT = "AllTraffic"
"""Keeps its name over all updates: an update must not look like a new variant."""


def production_variant(
    serving: ServingConfig, *, model_name: str
) -> sagemaker.CfnEndpointConfig.ProductionVariantProperty:
    """The variant that answers every request.

    Args:
        serving: kind, size and number.
        model_name: the model; may hold CDK tokens.
    """
    return sagemaker.CfnEndpointConfig.ProductionVariantProperty(
        variant_name=VARIANT, model_name=model_name, initial_variant_weight=1, **_capacity(serving)
    )


def _capacity(serving: ServingConfig) -> dict[str, Any]:
    if serving.kind == "instances":
        return {
            "instance_type": serving.instances.instance_type,
            "initial_instance_count": serving.instances.min_count,
        }
    return {
        "serverless_config": sagemaker.CfnEndpointConfig.ServerlessConfigProperty(
            memory_size_in_mb=serving.memory_mb,
            max_concurrency=serving.max_concurrency,
            # 0 is no value of this property: none is provisioned where it is left out.
            provisioned_concurrency=serving.provisioned_concurrency.min or None,
        )
    }
