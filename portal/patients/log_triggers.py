"""The triggers that write the log: pghistory's, with a context for each row where many share one.

A transaction sets `pghistory.context_metadata`, which every row of the log gets. What several
people write in one transaction needs more: `portal.contexts` has a context for each patient's id.
"""

from typing import Any

import pghistory
import pghistory.trigger
import pgtrigger
from django.db import models

# The settings of a transaction, as JSON; unset, or empty on a connection that has used them.
_SHARED_CONTEXT = "nullif(current_setting('pghistory.context_metadata', true), '')::jsonb"
_CONTEXTS = "nullif(current_setting('portal.contexts', true), '')::jsonb"
_CONTEXT_ID = "nullif(current_setting('pghistory.context_id', true), '')::uuid"
SET_CONTEXTS = "set_config('portal.contexts', {}, true)"  # Of an SQL expression.


class LogTrigger(pghistory.trigger.Event):
    """Writes a row for each patient that a statement wrote.

    pghistory's own would keep each context in a table of contexts, too, which nobody reads.
    """

    def get_declare(self, model: models.Model) -> list[tuple[str, str]]:
        del model  # The settings are the same for all.
        return [
            ("shared_context", f"jsonb := {_SHARED_CONTEXT}"),
            ("contexts", f"jsonb := {_CONTEXTS}"),
            ("context_id", f"uuid := {_CONTEXT_ID}"),
        ]

    def get_func(self, model: models.Model) -> pgtrigger.Func:
        rows = "old_values" if self.row == "OLD" else "new_values"
        log: Any = self.event_model
        recorded = {field.name for field in model._meta.fields}
        values = {
            field.column: f"{rows}.{field.column}"
            for field in log._meta.fields
            if field.name in recorded
        } | {
            "pgh_obj_id": f"{rows}.id",
            "pgh_created_at": "now()",
            "pgh_label": f"'{self.label}'",
            "pgh_context": f"coalesce(contexts -> {rows}.id::text, shared_context)",
            # Rows of one context have one id.
            "pgh_context_id": (
                f"CASE WHEN contexts ? {rows}.id::text THEN gen_random_uuid() ELSE context_id END"
            ),
        }
        return pgtrigger.Func(
            f"INSERT INTO {log._meta.db_table} ({', '.join(values)}) "  # noqa: S608 - constants
            f"SELECT {', '.join(values.values())} "
            f"FROM (SELECT {rows}.* FROM {{cond_{rows}}}) AS {rows}; RETURN NULL;"
        )


class _WrittenByLogTrigger(pghistory.RowEvent):
    def add_event_trigger(self, event_model: Any) -> None:
        trigger = LogTrigger(
            event_model=event_model,
            label=self.label,
            name=self.trigger_name,
            row=self.row,
            operation=self.operation,
            condition=self.condition,
            level=pgtrigger.Statement,
        )
        pgtrigger.register(trigger)(event_model.pgh_tracked_model)


class Inserted(_WrittenByLogTrigger, pghistory.InsertEvent):
    """A new patient."""


class Updated(_WrittenByLogTrigger, pghistory.UpdateEvent):
    """A patient of whom something changed that the log records."""


class Deleted(_WrittenByLogTrigger, pghistory.DeleteEvent):
    """A patient who is gone."""
