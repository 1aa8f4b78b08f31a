"""The page of a small server, as its build puts it into dist/public: it shows a login form."""

from __future__ import annotations

from pathlib import Path

SCRIPT = "assets/index-B7qkT2xw.js"
STYLE = "assets/index-C1m0Zp9d.css"

INDEX = f"""<!doctype html>
<html lang="en">
  <head>
    <meta charset="UTF-8" />
    <link rel="icon" type="image/svg+xml" href="/logo.svg" />
    <meta name="viewport" content="width=device-width, initial-scale=1.0" />
    <title>Portagent</title>
    <script type="module" crossorigin src="/{SCRIPT}"></script>
    <link rel="stylesheet" crossorigin href="/{STYLE}">
  </head>
  <body>
    <div id="root"></div>
  </body>
</html>
"""
_CODE = """const root = document.getElementById("root");
root.innerHTML = `<main><h1>Portagent</h1><form id="login">
<input name="usernameOrEmail" type="text" placeholder="Username or email" required>
<input name="password" type="password" placeholder="Password" required>
<button type="submit">Login</button></form><p id="told"></p></main>`;
document.getElementById("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = JSON.stringify(Object.fromEntries(new FormData(event.target)));
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch("/api/auth/login", { method: "POST", headers, body });
  const said = await answer.json();
  document.getElementById("told").textContent = said.error ?? `Hello ${said.user.username}`;
});
"""
_LOOK = "body{font-family:sans-serif;margin:0}main{max-width:24rem;margin:4rem auto}\n"
_LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><circle cx="4" cy="4" r="3"/></svg>'
)

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}


def build(public: Path) -> None:
    """Put the built page into a folder."""
    (public / "assets").mkdir(parents=True, exist_ok=True)
    content = {"index.html": INDEX, SCRIPT: _CODE, STYLE: _LOOK, "logo.svg": _LOGO}
    for name, text in content.items():
        (public / name).write_text(text, "utf-8")


def found(public: Path, path: str) -> tuple[bytes, str] | None:
    """Return what a path is answered with and its type: index.html for all that is not there.

    None where the page was not built.
    """
    top = public.resolve()
    asked = (top / path.lstrip("/")).resolve()
    if not (asked.is_relative_to(top) and asked.is_file()):
        asked = top / "index.html"
    if not asked.is_file():
        return None
    return asked.read_bytes(), TYPES.get(asked.suffix, "application/octet-stream")
