"""The local cloud's process, what stands for its images, and the CDK command line."""
