"""An `add` that the panel accepts, for every service type; a start for tests of your own."""

from __future__ import annotations

from smm_rules.simulator.catalogue import Service, ServiceType

_TEXTS: dict[str, dict[str, str]] = {
    ServiceType.CUSTOM_COMMENTS: {"comments": "Lovely\nWell done"},
    ServiceType.CUSTOM_COMMENTS_PACKAGE: {"comments": "Lovely\nWell done"},
    ServiceType.MENTIONS: {"usernames": "anna\nben"},
    ServiceType.MENTIONS_WITH_HASHTAGS: {"usernames": "anna\nben", "hashtags": "#sun\n#sea"},
    ServiceType.MENTIONS_CUSTOM_LIST: {"usernames": "anna\nben\ncarl"},
    ServiceType.MENTIONS_HASHTAG: {"hashtag": "#sun"},
    ServiceType.MENTIONS_USER_FOLLOWERS: {"username": "anna"},
    ServiceType.MENTIONS_MEDIA_LIKERS: {"media": "https://example.com/media/1"},
    ServiceType.COMMENT_LIKES: {"username": "anna"},
    ServiceType.COMMENT_REPLIES: {"username": "anna", "comments": "Thanks\nAgreed"},
    ServiceType.POLL: {"answer_number": "2"},
    ServiceType.INVITES_FROM_GROUPS: {"groups": "group one\ngroup two"},
    ServiceType.SEO: {"keywords": "panel\nrules"},
    ServiceType.WEB_TRAFFIC: {
        "country": "WW",
        "device": "1",
        "type_of_traffic": "1",
        "google_keyword": "panel",
    },
}
_UNCOUNTED = frozenset(
    {
        ServiceType.PACKAGE,
        ServiceType.CUSTOM_COMMENTS,
        ServiceType.CUSTOM_COMMENTS_PACKAGE,
        ServiceType.MENTIONS_CUSTOM_LIST,
        ServiceType.COMMENT_REPLIES,
    }
)


def sample_parameters(service: Service) -> dict[str, str]:
    """Parameters for an `add` of `service`, without key and action."""
    parameters = {"service": str(service.id)}
    if service.type == ServiceType.SUBSCRIPTIONS:
        least = str(service.min)
        return parameters | {"username": "anna", "min": least, "max": least, "delay": "0", "posts": "2"}
    parameters["link"] = f"https://example.com/sample/{service.id}"
    if service.type not in _UNCOUNTED:
        parameters["quantity"] = str(min(max(service.min, 100), service.max))
    return parameters | _TEXTS.get(service.type, {})
