"""The state machine that trains, judges and registers."""
