"""The name of a browser and its system, by which users recognise their own sign-ins."""

# Part of the User-Agent header -> name. The first match counts: Edge also calls itself Chrome, and
# Chrome calls itself Safari.
BROWSERS = {
    "Edg": "Edge",
    "OPR": "Opera",
    "Firefox": "Firefox",
    "Chrom": "Chrome",
    "Safari": "Safari",
}
SYSTEMS = {
    "Windows": "Windows",
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "CrOS": "ChromeOS",
    "Mac OS": "macOS",
    "Linux": "Linux",
}


def device_of(user_agent: str) -> str:
    """Returns such as `Firefox on Windows`; nothing of an unknown header is shown on a page."""
    browser = _first_match(BROWSERS, user_agent) or "A browser"
    system = _first_match(SYSTEMS, user_agent) or "an unknown system"
    return f"{browser} on {system}"


def _first_match(names: dict[str, str], user_agent: str) -> str:
    return next((name for part, name in names.items() if part in user_agent), "")
