"""The champion as the serving stack knows it: the value of the stack's one parameter.

The expressions are JSONata over the answer of DescribeStacks, for the workflows that read the champion.
"""

PARAMETER = "ModelPackageArn"
"""The serving stack's one parameter: the ARN of the released package."""

STACK_STATUS = "{% $states.result.Stacks[0].StackStatus %}"
STACK_CHAMPION = f"""{{% (
  $value := $states.result.Stacks[0].Parameters[ParameterKey = "{PARAMETER}"].ParameterValue;
  $exists($value) ? $value : ""
) %}}"""
"""The package that the stack serves or is about to serve; "" for none."""

PENDING = "$contains($stack, /_IN_PROGRESS$|^unreadable/)"
"""Condition: the last look (in the variable `stack`) showed nothing final, or nothing at all."""
