"""The state machine that puts an approved model package into service."""
