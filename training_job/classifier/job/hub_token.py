"""The Hugging Face Hub's token, from AWS Secrets Manager: a hyperparameter or a variable shows it in every console."""

import json
import os
from collections.abc import Mapping

from classifier.errors import JobError

SECRET_VARIABLE = "HUB_TOKEN_SECRET"
_REMEDY = "Store the token alone as the secret's text, and name that secret; training.hub_token_secret takes its ARN."


def fetch_hub_token(environ: Mapping[str, str]) -> None:
    """Read the secret that `HUB_TOKEN_SECRET` names, and set `HF_TOKEN` for this process; without the variable nothing.

    Call it before the first question to the Hub. Raises JobError, without what the secret holds.
    """
    if not (arn := environ.get(SECRET_VARIABLE)):
        return
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        # An ARN's fourth part is the region, which need not be the job's. A name has no such part.
        client = boto3.client("secretsmanager", region_name=f"{arn}:::".split(":")[3] or None)
        text = client.get_secret_value(SecretId=arn).get("SecretString", "")
    except (BotoCoreError, ClientError) as e:
        raise JobError(f"The Hub's token could not be read from {arn}: {e}", hint=_REMEDY) from e
    try:
        (token,) = json.loads(text).values()  # the console's form stores names and values
    except (ValueError, AttributeError):
        token = text
    token = str(token).strip()
    if not token.isascii() or not token.isprintable() or not token or set(token) & set(' "{['):
        raise JobError(f"The secret {arn} holds no token.", hint=_REMEDY)
    os.environ["HF_TOKEN"] = token
