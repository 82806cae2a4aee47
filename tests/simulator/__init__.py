"""The whole system in one process, under a simulated clock and network that draw what goes wrong.

Real: the portal's services, triggers, relay loops and clients, billing's servicer, rules and
store, the batch processor, folding and store of analytics, and three databases. Simulated: the
broker behind kafka-python's producer, the channel behind billing's stub, the messages that Faust
delivers, threads that stop and die at given points, and the time.
"""
