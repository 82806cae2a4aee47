"""The baseline: patients as a tutorial of Django REST framework would have them.

The same columns, without log, outbox, access records, search or duplicate check. It is served as
such a project is usually deployed, and gets the index that its order needs.
"""
