"""The rights of a user, in one prepared statement: every page asks for them."""

from portal.prepared import execute_prepared

_RIGHTS = """
    SELECT app_label || '.' || codename
    FROM auth_permission JOIN django_content_type AS kind ON kind.id = content_type_id
    WHERE auth_permission.id IN (
        SELECT permission_id FROM accounts_user_user_permissions WHERE user_id = {user_id}
        UNION ALL
        SELECT permission_id FROM accounts_user_groups JOIN auth_group_permissions USING (group_id)
        WHERE user_id = {user_id})
"""


def read_rights(user_id: int) -> set[str]:
    """Returns what the user and their roles may do, such as `patients.view_patient`."""
    rows = execute_prepared("rights_of_user", lambda: f"(bigint) AS {rights_sql('$1')}", [user_id])
    return {right for (right,) in rows}


def rights_sql(user_id: str) -> str:
    """Returns the query of the rights of a user, whose id is this SQL expression."""
    return _RIGHTS.format(user_id=user_id)
