"""The admin's pages of users, roles, tokens and wrong passwords."""

from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import BaseUserCreationForm
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.forms import AdminPasswordChangeForm, UserChangeForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from portal.accounts.lockouts import (
    forget_attempts,
    unlock_user,
    users_locked_out,
    with_lockout,
)
from portal.accounts.models import RefreshToken, User
from portal.accounts.revocation import revoke_access
from portal.accounts.rules import user_of
from portal.accounts.selectors import users_by_token
from portal.admin_lists import PortalAdmin

admin.site.site_header = admin.site.site_title = "Patient Portal"
admin.site.index_template = "staff/admin_index.html"
admin.site.unregister([Group, AccessAttempt, AccessFailureLog, AccessLog])


class ReadOnlyAdmin(PortalAdmin):
    """Rows that the admin shows and nobody adds or changes there."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class YesFilter(admin.SimpleListFilter):
    """A filter that is on or off."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        return queryset.filter(pk__in=self.users().values("pk")) if self.value() else queryset

    def users(self) -> QuerySet[User]:
        """Returns the users whom the filter leaves."""
        raise NotImplementedError


class LockedFilter(YesFilter):
    title, parameter_name = "locked out now", "locked"

    def users(self) -> QuerySet[User]:
        return users_locked_out()


class TokenFilter(YesFilter):
    """Programs are known by their way of signing in only: by token, at /auth/login."""

    title, parameter_name = "holds an API token", "by_token"

    def users(self) -> QuerySet[User]:
        return users_by_token()


class NewUserForm(BaseUserCreationForm):
    class Meta:
        model = User
        fields = ("email", "full_name")


@admin.register(User)
class UserAdmin(DjangoUserAdmin, PortalAdmin):
    """Users and their roles. The audit names them, so none is deleted: take "may sign in" away."""

    add_form = NewUserForm
    form = UserChangeForm
    change_password_form = AdminPasswordChangeForm
    ordering = ("email",)
    list_display = (
        "email",
        "full_name",
        "roles",
        "is_active",
        "is_staff",
        "is_locked",
        "last_login",
    )
    list_filter = (LockedFilter, TokenFilter, "groups", "is_active", "is_staff")
    actions = ("unlock", "end_access")
    search_fields = ("email", "full_name")
    readonly_fields = ("last_login", "joined_at")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("email", "password", "full_name")}),
        ("What they may do", {"fields": ("is_active", "is_staff", "groups")}),
        ("When", {"fields": ("last_login", "joined_at")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "full_name", "password1", "password2")}),)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Shows the few roles as boxes to tick."""
        if db_field.name == "groups":
            kwargs["widget"] = UnfoldAdminCheckboxSelectMultipleWidget()
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    @admin.display(description="Roles")
    def roles(self, user: User) -> str:
        return ", ".join(group.name for group in user.groups.all()) or "none"

    @admin.display(description="Locked out")
    def is_locked(self, user: Any) -> str:
        """Says it in words, since Django's green tick beside a locked-out user would mislead."""
        return "Locked out" if user.has_lock else "No"

    @admin.action(description="Unlock: forget the wrong passwords", permissions=["change"])
    def unlock(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        users = self._log_each(request, queryset, "Unlocked.")
        counts = [unlock_user(user, by=user_of(request)) for user in users]
        locked = sum(count > 0 for count in counts)
        had = f"{locked} of {len(counts)} user(s) had wrong passwords against them."
        self.message_user(request, f"{had} All of them may try again.", messages.SUCCESS)

    @admin.action(
        description="Sign out everywhere: end sessions and refresh tokens", permissions=["change"]
    )
    def end_access(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        users = self._log_each(request, queryset, "Signed out everywhere.")
        revoked = revoke_access(users, by=user_of(request))
        ended = f"{revoked.user_count} user(s) signed out of {revoked.sign_in_count} browser(s)"
        rest = "Access tokens end within a second."
        self.message_user(request, f"{ended} and program(s). {rest}", messages.SUCCESS)

    def _log_each(self, request: HttpRequest, queryset: QuerySet[User], change: str) -> list[User]:
        """Writes a line into the history of each user, and returns the users."""
        users = list(queryset)
        for user in users:
            self.log_change(request, user, change)
        return users

    def get_queryset(self, request: HttpRequest) -> Any:
        """Hides superusers from all others, so that no operator gets more rights by editing one."""
        users = with_lockout(super().get_queryset(request)).prefetch_related("groups")
        return users if request.user.is_superuser else users.filter(is_superuser=False)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Group)
class RoleAdmin(ReadOnlyAdmin):
    """Roles, which the code defines (portal/accounts/roles.py)."""

    list_display = ("name",)
    readonly_fields = ("name", "permissions")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(RefreshToken)
class RefreshTokenAdmin(ReadOnlyAdmin):
    """Chains of refresh tokens; deleting the row of a chain ends it."""

    list_display = ("user", "created_at", "expires_at", "used_at", "revoked_at")
    list_filter = ("user",)
    readonly_fields = ("user", "family", "created_at", "expires_at", "used_at", "revoked_at")
    exclude = ("digest", "password_mark")


@admin.register(AccessAttempt)
class AttemptAdmin(ReadOnlyAdmin):
    """Wrong passwords by e-mail address and computer, also for addresses that no user has."""

    list_display = ("username", "ip_address", "failures_since_start", "attempt_time")
    search_fields = ("=username", "=ip_address")
    fields = readonly_fields = (
        "username",
        "ip_address",
        "user_agent",
        "failures_since_start",
        "attempt_time",
    )
    actions = ("forget",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_forget_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("axes.delete_accessattempt")

    @admin.action(description="Forget them: let these computers try again", permissions=["forget"])
    def forget(self, request: HttpRequest, queryset: QuerySet[AccessAttempt]) -> None:
        count = forget_attempts(list(queryset.values_list("pk", flat=True)), by=user_of(request))
        self.message_user(
            request, f"{count} line(s) of wrong passwords forgotten.", messages.SUCCESS
        )
