"""Analytics: the gateway to the stream processor, and the dashboard."""
