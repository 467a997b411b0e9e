"""What a training job is made of: code, role, request and the recipe for the console."""
