"""The portal's view of each patient's billing account, and the client of the billing server."""
