"""Analytics: the client of the stream processor, the figures in the API, and the dashboard."""
