"""Django's admin with our site, for the setting INSTALLED_APPS."""

from django.contrib.admin.apps import SimpleAdminConfig


class AdminConfig(SimpleAdminConfig):
    """It leaves it to portal.urls to find the modules `admin`.

    They take 20 MB, also in processes that show no page.
    """

    default_site = "portal.staff.admin_site.PortalAdminSite"
