"""The local cloud: AWS APIs on one machine. Knows AWS, not the product."""
