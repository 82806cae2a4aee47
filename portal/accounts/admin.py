"""The operators' door to users, roles and tokens."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import BaseUserCreationForm
from django.contrib.auth.models import Group
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm

from portal.accounts.models import RefreshToken, User

admin.site.site_header = admin.site.site_title = "Patient Portal"
admin.site.unregister(Group)


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
    list_display = ("email", "full_name", "roles", "is_active", "is_staff", "last_login")
    list_filter = ("groups", "is_active", "is_staff")
    search_fields = ("email", "full_name")
    readonly_fields = ("last_login", "joined_at")
    filter_horizontal = ("groups",)
    fieldsets = (
        (None, {"fields": ("email", "password", "full_name")}),
        ("What they may do", {"fields": ("is_active", "is_staff", "groups")}),
        ("When", {"fields": ("last_login", "joined_at")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "full_name", "password1", "password2")}),)

    @admin.display(description="Roles")
    def roles(self, user: User) -> str:
        return ", ".join(group.name for group in user.groups.all()) or "none"

    def get_queryset(self, request: HttpRequest) -> Any:
        """Only a superuser sees superusers: nobody lifts themselves by editing one."""
        users = super().get_queryset(request).prefetch_related("groups")
        return users if request.user.is_superuser else users.filter(is_superuser=False)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Group)
class RoleAdmin(ModelAdmin):
    """Roles are written in code (portal/accounts/roles.py) and shown here."""

    list_display = ("name",)
    readonly_fields = ("name", "permissions")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(RefreshToken)
class RefreshTokenAdmin(ModelAdmin):
    """Chains of refresh tokens; deleting one row ends that chain."""

    list_display = ("user", "created_at", "expires_at", "used_at", "revoked_at")
    list_filter = ("user",)
    readonly_fields = ("user", "family", "created_at", "expires_at", "used_at", "revoked_at")
    exclude = ("digest", "password_mark")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
