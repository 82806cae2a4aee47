"""A browser and its system in a few words, so that a person knows their own again."""

# The first that a browser names is its own: Edge calls itself Chrome too, and Chrome Safari.
BROWSERS = {
    "Edg": "Edge",
    "OPR": "Opera",
    "Firefox": "Firefox",
    "Chrom": "Chrome",
    "Safari": "Safari",
}
SYSTEMS = {
    "Windows": "Windows", "Android": "Android", "iPhone": "iPhone", "iPad": "iPad",
    "CrOS": "ChromeOS", "Mac OS": "macOS", "Linux": "Linux",
}  # fmt: skip


def device_of(user_agent: str) -> str:
    """`Firefox on Windows`; an unknown one is said to be unknown, since anybody may write anything there."""
    browser = next((name for mark, name in BROWSERS.items() if mark in user_agent), "A browser")
    system = next(
        (name for mark, name in SYSTEMS.items() if mark in user_agent), "an unknown system"
    )
    return f"{browser} on {system}"
