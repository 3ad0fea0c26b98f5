"""A picture of a page of Home Assistant in Debian's chromium, told over its debugging port who its owner is."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from processes import free_port, process, ready

CHROMIUM = shutil.which("chromium")
SETTLES_SECONDS = 12.0
SIZE = 1180, 1480


async def photograph(url: str, token: Mapping[str, Any], picture: Path, folder: Path) -> None:
    """Open ``url`` as who has this token (the answer of /auth/token), wait until it stands, and keep what is seen."""
    assert CHROMIUM is not None
    port, origin = free_port(), "/".join(url.split("/")[:3])
    known = {**token, "hassUrl": origin, "clientId": f"{origin}/", "expires": int((time.time() + 1800) * 1000)}
    order = (
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--remote-debugging-port={port}",
        f"--window-size={SIZE[0]},{SIZE[1]}", f"--user-data-dir={folder / 'profile'}", "about:blank",
    )  # fmt: skip
    async with process(folder, *order), ClientSession() as session:
        at = f"http://127.0.0.1:{port}/json"
        await ready(f"{at}/version", folder)
        async with session.get(f"{at}/list") as answer:
            page = next(each for each in json.loads(await answer.text()) if each["type"] == "page")
        async with session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as line:

            async def do(number: int, method: str, **values: Any) -> dict[str, Any]:
                await line.send_json({"id": number, "method": method, "params": values})
                while (said := await line.receive_json()).get("id") != number:
                    pass
                result: dict[str, Any] = said["result"]
                return result

            source = f"localStorage.setItem('hassTokens', {json.dumps(json.dumps(known))})"
            await do(1, "Page.addScriptToEvaluateOnNewDocument", source=source)
            await do(2, "Page.enable")
            await do(3, "Page.navigate", url=url)
            await asyncio.sleep(SETTLES_SECONDS)
            shot = await do(4, "Page.captureScreenshot", format="png")
        keep(picture, base64.b64decode(shot["data"]))


def keep(picture: Path, content: bytes) -> None:
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_bytes(content)
