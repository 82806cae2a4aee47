"""The addresses of the baseline."""

from django.urls import include, path
from rest_framework.routers import DefaultRouter
from rest_framework_simplejwt.views import TokenObtainPairView

from tests.bench.plain_drf.api import Patients, Validate

router = DefaultRouter(trailing_slash=False)
router.register("patients", Patients)
urlpatterns = [
    path("auth/login", TokenObtainPairView.as_view()),
    path("auth/validate", Validate.as_view()),
    path("api/", include(router.urls)),
]
