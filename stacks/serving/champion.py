"""The champion as the serving stack knows it: the value of the stack's one parameter.

The expressions are JSONata over the answer of DescribeStacks, for the workflows that read the champion.
"""

PARAMETER = "ModelPackageArn"
"""The serving stack's one parameter: the ARN of the released package, empty, or `NO_ENDPOINT`."""
NO_ENDPOINT = "none"
"""Value that takes the endpoint out of the stack, hub model or not, so that a lost one can be made anew."""

STACK_STATUS = "$states.result.Stacks[0].StackStatus"
STACK_CHAMPION = f"""(
  $value := $states.result.Stacks[0].Parameters[ParameterKey = "{PARAMETER}"].ParameterValue;
  $exists($value) and $value != "{NO_ENDPOINT}" ? $value : ""
)"""
"""The package that the stack serves or is about to serve; "" for none."""

PENDING = "$contains($stack, /_IN_PROGRESS$|^unreadable/)"
"""Condition: the last look (in the variable `stack`) showed nothing final, or nothing at all."""
