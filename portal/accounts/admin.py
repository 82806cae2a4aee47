"""The operators' door to users, roles and tokens."""

from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import BaseUserCreationForm
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from portal.accounts.lockouts import users_by_token, users_locked_out, with_lock
from portal.accounts.models import RefreshToken, User
from portal.accounts.revocation import end_access, forget_attempts, unlock
from portal.accounts.rules import user_of

admin.site.site_header = admin.site.site_title = "Patient Portal"
admin.site.index_template = "staff/admin_index.html"
admin.site.unregister([Group, AccessAttempt, AccessFailureLog, AccessLog])


class Untouched(ModelAdmin):
    """Shown, and changed by nobody."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class YesFilter(admin.SimpleListFilter):
    """A filter that is on or off."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        return queryset.filter(pk__in=self.chosen().values("pk")) if self.value() else queryset

    def chosen(self) -> QuerySet[User]:
        raise NotImplementedError


class LockedFilter(YesFilter):
    title, parameter_name = "locked out now", "locked"

    def chosen(self) -> QuerySet[User]:
        return users_locked_out()


class TokenFilter(YesFilter):
    """Nothing tells a program from a person but the way of signing in: by token, at /auth/login."""

    title, parameter_name = "holds an API token", "by_token"

    def chosen(self) -> QuerySet[User]:
        return users_by_token()


class NewUserForm(BaseUserCreationForm):
    class Meta:
        model = User
        fields = ("email", "full_name")


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    """Users and their roles. Nobody is deleted: the audit names them; take away "may sign in" instead."""

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
        """The few roles as boxes to tick."""
        if db_field.name == "groups":
            kwargs["widget"] = UnfoldAdminCheckboxSelectMultipleWidget()
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    @admin.display(description="Roles")
    def roles(self, user: User) -> str:
        return ", ".join(group.name for group in user.groups.all()) or "none"

    @admin.display(description="Locked out")
    def is_locked(self, user: Any) -> str:
        """In words: a green tick beside somebody who is locked out says the contrary."""
        return "Locked out" if user.has_lock else "No"

    @admin.action(description="Unlock: forget the wrong passwords", permissions=["change"])
    def unlock(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        counts = [
            unlock(user, by=user_of(request))
            for user in self._noted(request, queryset, "Unlocked.")
        ]
        locked = sum(count > 0 for count in counts)
        words = f"{locked} of {len(counts)} user(s) had wrong passwords against them. All of them may try again."
        self.message_user(request, words, messages.SUCCESS)

    @admin.action(
        description="Sign out everywhere: end sessions and refresh tokens", permissions=["change"]
    )
    def end_access(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        users = self._noted(request, queryset, "Signed out everywhere.")
        ended = end_access(users, by=user_of(request))
        words = f"{ended.users} user(s) signed out of {ended.places} browser(s) and program(s). "
        minutes = settings.SIMPLE_JWT["ACCESS_TOKEN_LIFETIME"].seconds // 60
        self.message_user(
            request, f"{words}Access tokens run out within {minutes} minutes.", messages.SUCCESS
        )

    def _noted(self, request: HttpRequest, queryset: QuerySet[User], words: str) -> list[User]:
        """The users, each with a line in its history of what is done to it now."""
        users = list(queryset)
        for user in users:
            self.log_change(request, user, words)
        return users

    def get_queryset(self, request: HttpRequest) -> Any:
        """Only a superuser sees superusers: nobody lifts themselves by editing one."""
        users = with_lock(super().get_queryset(request)).prefetch_related("groups")
        return users if request.user.is_superuser else users.filter(is_superuser=False)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Group)
class RoleAdmin(Untouched):
    """Roles are written in code (portal/accounts/roles.py) and shown here."""

    list_display = ("name",)
    readonly_fields = ("name", "permissions")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(RefreshToken)
class RefreshTokenAdmin(Untouched):
    """Chains of refresh tokens; deleting one row ends that chain."""

    list_display = ("user", "created_at", "expires_at", "used_at", "revoked_at")
    list_filter = ("user",)
    readonly_fields = ("user", "family", "created_at", "expires_at", "used_at", "revoked_at")
    exclude = ("digest", "password_mark")


@admin.register(AccessAttempt)
class AttemptAdmin(Untouched):
    """Wrong passwords by name and computer; also for names that nobody has."""

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
