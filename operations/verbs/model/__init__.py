"""The model of an environment: from labelled texts to a release, and what it answers."""
