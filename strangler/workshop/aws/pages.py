"""The mailbox as pages: plain HTML, without a script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape

from strangler.workshop.aws.mailbox import Mail

_SHOWN = 200
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root {{
  color-scheme: light dark;
  --line: #8886; --quiet: light-dark(#555, #aaa); --bad: light-dark(#a3160c, #ff9d94);
}}
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem }}
h1 {{ font-size: 1.5rem; margin: .5rem 0; overflow-wrap: anywhere }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ text-align: left; padding: .4rem .8rem .4rem 0; vertical-align: top; overflow-wrap: anywhere }}
tr {{ border-bottom: 1px solid var(--line) }}
tbody th {{ font-weight: inherit; width: 30% }}
.facts th {{ color: var(--quiet); width: 8rem }}
.quiet, time {{ color: var(--quiet) }} .bad {{ color: var(--bad) }} time {{ white-space: nowrap }}
pre, iframe {{ box-sizing: border-box; width: 100%; margin: 1rem 0 }}
pre, iframe {{ border: 1px solid var(--line); border-radius: .4rem }}
pre {{ font: inherit; white-space: pre-wrap; overflow-wrap: anywhere; padding: 1rem }}
iframe {{ height: 24rem; background: #fff; color-scheme: light }}
@media (max-width: 40rem) {{
  thead {{ position: absolute; clip-path: inset(50%) }}
  tr, th, td, .facts th {{ display: block; width: auto; padding: 0 }}
  tr {{ padding: .5rem 0 }}
}}
</style></head><body><main>
{body}
</main></body></html>
"""


def list_page(mails: Sequence[Mail]) -> str:
    """The newest mails, the newest first. "mails" are all, the oldest first."""
    count = f"{len(mails):,} mail{'' if len(mails) == 1 else 's'}"
    if len(mails) > _SHOWN:
        count += f', of which the newest {_SHOWN} are shown; all are in <a href="/mailbox.json">mailbox.json</a>'
    body = f'<h1>Mailbox</h1>\n<p class="quiet">{count}</p>'
    if mails:
        heads = "".join(f'<th scope="col">{name}</th>' for name in ("Subject", "To", "Outcome", "Sent (UTC)"))
        rows = "\n".join(_row(mail) for mail in reversed(mails[-_SHOWN:]))
        body += f"\n<table><thead><tr>{heads}</tr></thead><tbody>\n{rows}\n</tbody></table>"
    return _PAGE.format(title="Mailbox", body=body)


def mail_page(mail: Mail) -> str:
    """One mail, with what is known of it. Its HTML is shown in a frame in which nothing runs."""
    facts = {
        "From": escape(mail.sender),
        "To": "<br>".join(escape(address) for address in mail.recipients),
        "Sent (UTC)": _time(mail.at),
        "Outcome": _outcomes(mail),
        "Message": f"<code>{escape(mail.message_id)}</code>",
        **{f"Tag {escape(name)}": escape(value) for name, value in mail.tags.items()},
    }
    subject = escape(mail.subject) or "(no subject)"
    parts = ['<p><a href="/mailbox/">Mailbox</a></p>', f"<h1>{subject}</h1>", _facts(facts)]
    if mail.text:
        parts.append(f"<pre>{escape(mail.text)}</pre>")
    if mail.html:
        parts.append(f'<iframe sandbox title="The mail as HTML" srcdoc="{escape(mail.html)}"></iframe>')
    return _PAGE.format(title=f"{subject} - Mailbox", body="\n".join(parts))


def _row(mail: Mail) -> str:
    subject = f'<a href="/mailbox/{mail.number}/">{escape(mail.subject) or "(no subject)"}</a>'
    to = escape(", ".join(mail.recipients))
    return f'<tr><th scope="row">{subject}</th><td>{to}</td><td>{_outcomes(mail)}</td><td>{_time(mail.at)}</td></tr>'


def _facts(facts: Mapping[str, str]) -> str:
    rows = "\n".join(f'<tr><th scope="row">{name}</th><td>{value}</td></tr>' for name, value in facts.items())
    return f'<table class="facts"><tbody>\n{rows}\n</tbody></table>'


def _outcomes(mail: Mail) -> str:
    several = len(mail.recipients) > 1
    said = []
    for outcome in mail.outcomes:
        words = escape(f"{outcome.address}: {outcome}" if several else f"{outcome}")
        said.append(words if outcome.kind == "Delivery" else f'<span class="bad">{words}</span>')
    return "<br>".join(said)


def _time(at: str) -> str:
    moment = datetime.fromisoformat(at)
    return f'<time datetime="{at}">{moment:%-d %b %Y, %H:%M:%S}</time>'
