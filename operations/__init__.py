"""What a person runs: deploy locally, train, release, ask, measure; the same calls on AWS and on the local cloud."""
