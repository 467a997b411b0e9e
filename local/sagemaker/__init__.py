"""A SageMaker service for one machine. Training scripts and model servers run as child processes.

Entry point: `local.sagemaker.service.SageMakerService`. The protocol `local.sagemaker.common.surroundings.Surroundings`
says what the service needs from the cloud around it: object storage, logs, events, metrics and role credentials.

Imports between the folders go one way: common, state, api, models, processes, endpoints, jobs, then training and
transform. `service` imports them all.
"""
