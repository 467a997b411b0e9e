"""The endpoint: model, container, variants, scaling, guardrails."""
