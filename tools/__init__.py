"""What set-up, `make contract` and a maintainer run."""
