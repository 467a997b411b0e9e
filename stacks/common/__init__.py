"""What the stacks share: functions, permissions, images, names of metrics, errors."""
