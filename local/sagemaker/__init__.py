"""A SageMaker service for one machine that really trains and really serves, as child processes.

Entry point: `local.sagemaker.service.SageMakerService`. What it needs from the cloud around it (object store, logs,
events, role credentials) is the protocol `local.sagemaker.common.hooks.Hooks`.
"""
