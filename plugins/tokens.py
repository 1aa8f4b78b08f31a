"""Shapes of the tokens that services hand out, as regular expressions.

The looser a shape is, the more must stand around it: `hf_` begins many a name. A name of a file may
hold a token too, behind any sign, and then only what begins plainly and is long enough is one.
"""

from __future__ import annotations

RUN_BEGINS = r"(?<![A-Za-z0-9_-])"
_ENDS = r"(?![A-Za-z0-9])"

TOKENS = (
    r"sk-ant-[A-Za-z0-9_-]{8,}"
    r"|sk-(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{16,}"
    r"|[rsp]k_(?:live|test)_[A-Za-z0-9]{16,}"
    r"|gh[opusr]_[A-Za-z0-9]{16,}"
    r"|github_pat_[A-Za-z0-9_]{16,}"
    r"|glpat-[A-Za-z0-9_-]{16,}"
    r"|xox[a-z]-[A-Za-z0-9-]{8,}"
    r"|xapp-[A-Za-z0-9-]{16,}"
    rf"|(?:AKIA|ASIA)[A-Z0-9]{{16}}{_ENDS}"
    r"|AIza[A-Za-z0-9_-]{35}"
    r"|npm_[A-Za-z0-9]{32,}"
    r"|hf_[A-Za-z0-9]{28,}"
)
# These begin so plainly that they are found within a file's name too, such as .tmp-sk-ant-…
IN_A_NAME = (
    r"sk-ant-[A-Za-z0-9_-]{8,}"
    r"|sk-(?:proj|svcacct|admin|or-v1)-(?=[A-Za-z_-]{0,80}[0-9])[A-Za-z0-9_-]{20,}"
    r"|[rsp]k_(?:live|test)_[A-Za-z0-9]{16,}"
    r"|gh[opusr]_[A-Za-z0-9]{16,}"
    r"|github_pat_[A-Za-z0-9_]{16,}"
    r"|glpat-(?=[A-Za-z_-]{0,80}[0-9])[A-Za-z0-9_-]{16,}"
    r"|xox[abeprs]-(?=[A-Za-z-]{0,80}[0-9])[A-Za-z0-9-]{16,}"
    rf"|(?:AKIA|ASIA)[A-Z0-9]{{16}}{_ENDS}"
    rf"|AIza[A-Za-z0-9_-]{{35}}{_ENDS}"
    r"|npm_[A-Za-z0-9]{36}"
    r"|hf_[A-Za-z0-9]{34}"
)
# Their very length tells them from the end of a word, such as `highs_` before a digest. What must
# stand before one is asked for behind its first letters, as those are what is searched for.
BEHIND_A_LETTER = (
    r"sk-ant-(?:api|oat|ort|sid|admin)[0-9]{2}-[A-Za-z0-9_-]{16,}"
    rf"|gh[opusr]_[A-Za-z0-9]{{36}}{_ENDS}"
    r"|github_pat_[A-Za-z0-9_]{36,}"
    r"|glpat-(?=[A-Za-z_-]{0,80}[0-9])[A-Za-z0-9_-]{20,}"
    r"|xox[abeprs]-[0-9]{8,}-[A-Za-z0-9-]{8,}"
    rf"|A[KS]IA(?<=[a-z_]....)[A-Z0-9]{{16}}{_ENDS}"
    r"|:AA(?<=[0-9]{8}:AA)[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])"  # of a bot of Telegram
)

JWT = r"eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*){0,3}"
# Where a line ends within one, the rest stands alone on the next.
JWT += r"(?:\r?\n(?=[^\sA-Z]{0,400}[A-Z])(?=[^\s0-9]{0,400}[0-9])[A-Za-z0-9_.-]{16,}(?!\S))?"

# Words that stand after "Bearer" in prose, where no token is.
PROSE = (
    r"(?!(?:tokens?|auth|authentication|authorization|schemes?|is|was|are|and|or|headers?"
    r"|credentials?|realm|of|in|for|not|missing|required)\b)"
)

# What stands before the part of a webhook's URL that nobody else may know.
WEBHOOKS = (
    r"hooks\.slack\.com/(?:services|workflows|triggers)/"
    r"|discord(?:app)?\.com/api/webhooks/[0-9]{5,25}/"
    r"|hc-ping\.com/"
)

# Words of programs that take a password without its name.
COMMANDS = (
    r"curl\b[^\n]{0,200}?[ \t](?:-u|--user)[ \t=]{1,3}[\"']?[^\s:\"']{1,64}:"
    r"|sshpass[ \t]{1,3}-p[ \t]{0,3}"
    r"|(?:mysql(?:dump|admin)?|mariadb)\b[^\n]{0,200}?[ \t]-p(?=\S)"
)
# What begins a URL whose `://` became other signs, as in a name that was made of it.
FLATTENED = (
    r"(?:https?|ftps?|wss?|ssh|smb|mysql|postgres(?:ql)?|rediss?|mongodb|amqps?)"
    r"(?!://)[-_:+~|/\\]{1,8}"
)
