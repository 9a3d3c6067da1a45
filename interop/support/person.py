"""A person at the sign-in page: reads its forms, fills them in and sends them, with cookies and nothing else."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import requests

from .keyless import Keyless

MOST_PAGES = 8


@dataclass
class Page:
    """What a person, or a script, sees of an HTML page."""

    url: str
    status: int
    text: str = ""
    forms: list[dict] = field(default_factory=list)
    links: list[str] = field(default_factory=list)


class Reader(HTMLParser):
    def __init__(self, page: Page):
        super().__init__()
        self.page, self._words, self._hidden = page, [], 0

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.page.forms.append({"action": attributes.get("action") or "", "fields": {}, "types": {}, "buttons": 0})
        elif tag in ("input", "button") and self.page.forms:
            form, name = self.page.forms[-1], attributes.get("name")
            kind = attributes.get("type", "submit" if tag == "button" else "text")
            # Of several buttons the first is the one that goes on; the others are not pressed.
            form["buttons"] += kind == "submit"
            if name and (kind != "submit" or form["buttons"] == 1):
                form["fields"][name], form["types"][name] = attributes.get("value") or "", kind
        elif tag in ("script", "style"):
            self._hidden += 1
        if source := attributes.get("src") or (attributes.get("href") if tag == "link" else None):
            self.page.links.append(source)

    def handle_endtag(self, tag):
        self._hidden -= tag in ("script", "style")

    def handle_data(self, data):
        if not self._hidden:
            self._words += data.split()

    def finish(self) -> Page:
        self.page.text = " ".join(self._words)
        return self.page


class Person:
    """Someone with a sign-in name and a password, and a browser of their own."""

    def __init__(self, system: Keyless, name: str, password: str):
        self.system, self.name, self.password = system, name, password
        self.session = requests.Session()
        # This machine's own REQUESTS_CA_BUNDLE would otherwise decide.
        self.session.trust_env, self.session.verify = False, system.ready["ca_file"]
        self.seen: list[Page] = []

    def open(self, url: str) -> Page:
        return self._read(self.session.get(url, timeout=10))

    def send(self, page: Page, **filled: str) -> Page:
        """Sends the page's first form: its hidden fields as they are, and the rest as `filled`, by type or name."""
        form = page.forms[0]
        fields = {
            name: filled.get(name, filled.get(form["types"][name], value)) for name, value in form["fields"].items()
        }
        # As a browser says it, and as the page's own defence wants it.
        origin = f"{urlsplit(page.url).scheme}://{urlsplit(page.url).netloc}"
        return self._read(
            self.session.post(urljoin(page.url, form["action"]), data=fields, headers={"Origin": origin}, timeout=10)
        )

    def sign_in(self, url: str, code: str = "") -> Page:
        """Goes from page to page, answering what each asks, until one asks nothing more."""
        page = self.open(url)
        for _ in range(MOST_PAGES):
            if not page.forms or not page.url.startswith(self.system.ready["authority"]):
                return page
            if self._leaves(page):
                return page
            page = self.send(page, password=self.password, text=code or self.name, **self._by_name(code))
        raise AssertionError(f"still asked after {MOST_PAGES} pages: {page.text}")

    def _by_name(self, code: str) -> dict[str, str]:
        names = {name: self.name for name in ("username", "login", "user", "email")}
        return names | {name: code for name in ("user_code", "otc", "code") if code}

    def _leaves(self, page: Page) -> bool:
        """Whether the page's form goes to the program that asked for the sign-in (`response_mode=form_post`)."""
        target = urlsplit(urljoin(page.url, page.forms[0]["action"]))
        return target.netloc != urlsplit(self.system.ready["authority"]).netloc

    def _read(self, answer: requests.Response) -> Page:
        reader = Reader(Page(answer.url, answer.status_code))
        reader.feed(answer.text)
        self.seen.append(reader.finish())
        return self.seen[-1]
