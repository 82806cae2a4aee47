"""The whole system in one process, under a clock and a network of ours: what may go wrong is drawn, and nothing waits.

Real: the portal's services, triggers, relay loops and clients, billing's servicer, rules and store, analytics' intake,
folding and store, and three real databases. Simulated: the broker behind kafka-python's producer, the channel behind
billing's stub, what Faust hands to the intake, threads that stop and die where they are told to, and the time.
"""
