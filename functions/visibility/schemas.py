"""What programs send and get is what people do: `runtime/searching` has the filters, `runtime/findings` the answers."""

from linkflow.runtime.findings import CountView, StatisticsView, SummaryPage
from linkflow.runtime.searching import Filters

__all__ = ["CountView", "Filters", "StatisticsView", "SummaryPage"]
