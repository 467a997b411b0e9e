"""The state machine that scores files in S3 with the released model. Part of the training stack."""
