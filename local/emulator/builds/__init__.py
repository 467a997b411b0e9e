"""CodeBuild without a build."""
