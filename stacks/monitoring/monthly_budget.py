"""A monthly limit of the account's costs, and the notifications before and at it."""

from aws_cdk import aws_budgets as budgets
from constructs import Construct


def add_monthly_budget(scope: Construct, *, name: str, limit_usd: float, topic_arn: str) -> None:
    """Create a budget of the whole account, in US dollars; it notifies at 80 %, at 100 %, and when 100 % is forecast.

    It is not limited to the project's tag: such a budget counts nothing until somebody activates the tag for cost
    allocation in the billing console.
    """
    subscriber = budgets.CfnBudget.SubscriberProperty(subscription_type="SNS", address=topic_arn)
    budgets.CfnBudget(
        scope,
        "Budget",
        budget=budgets.CfnBudget.BudgetDataProperty(
            budget_name=name,
            budget_type="COST",
            time_unit="MONTHLY",
            budget_limit=budgets.CfnBudget.SpendProperty(amount=limit_usd, unit="USD"),
        ),
        notifications_with_subscribers=[
            budgets.CfnBudget.NotificationWithSubscribersProperty(
                notification=budgets.CfnBudget.NotificationProperty(
                    notification_type=kind,
                    comparison_operator="GREATER_THAN",
                    threshold=percent,
                    threshold_type="PERCENTAGE",
                ),
                subscribers=[subscriber],
            )
            for kind, percent in (("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100))
        ],
    )
