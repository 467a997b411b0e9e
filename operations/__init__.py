"""The commands that a person runs (`python -m operations <verb>`): the same calls on AWS and on the local cloud."""
