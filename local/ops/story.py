"""Tell one order's story from the logs of a stack."""

from engine.adapters.aws.logs import FUNCTIONS, FilteredLogs, InsightsLogs
from engine.adapters.aws.orders import DynamoOrders
from engine.adapters.aws.table import Table
from engine.service.story import Event, read_story
from local.errors import Refused
from local.ops.target import Target


def events(found: Target, order_id: str, *, insights: bool) -> list[Event]:
    """Return what happened to an order, oldest first. Raises Refused if there is no such order."""
    table = Table(found.client("dynamodb"), found.outputs["TableName"])
    order = DynamoOrders(table).get(order_id)
    if order is None:
        raise Refused(f"{found.name} has no order {order_id}")
    groups = {name: f"/aws/lambda/{found.name}/{name}" for name in FUNCTIONS}
    logs = (InsightsLogs if insights else FilteredLogs)(found.client("logs"), groups)
    return read_story(order_id, logs, since=order.created_at, until=order.updated_at)


def told(order_id: str, happened: list[Event]) -> str:
    """Return the story as lines."""
    if not happened:
        return f"The logs say nothing of order {order_id}; they are kept for LogRetentionDays."
    return "\n".join([f"Order {order_id}", *map(str, happened)])
