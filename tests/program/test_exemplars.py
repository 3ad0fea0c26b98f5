"""OpenMetrics of the running program: the exemplars lead to the frames that decided and that were sent."""

from __future__ import annotations

import json

from aiohttp import ClientSession
from leaping import leaping, lived
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from whole_program import Tale, tale

OPENMETRICS = {"Accept": "application/openmetrics-text; version=1.0.0; charset=utf-8"}


async def exemplars(told: Tale) -> dict[tuple[str, str], str]:
    """Message ids by the name of the counter and the outcome it counts."""
    with leaping().still():
        async with (
            ClientSession() as session,
            session.get(f"{told.proxy.admin_url}/metrics", headers=OPENMETRICS) as page,
        ):
            assert page.content_type == "application/openmetrics-text"
            text = await page.text()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {
        (sample.name.removeprefix("ocpp_watchdog_"), sample.labels.get("outcome", "")): sample.exemplar.labels[
            "message_id"
        ]
        for sample in samples
        if sample.exemplar is not None
    }


def test_the_exemplars_name_the_deciding_meter_values_and_the_step() -> None:
    async def story() -> None:
        async with tale() as told:
            await told.charging()
            await told.stop()
            await told.sleep(75.0)
            found = await exemplars(told)
            (stop,) = [entry for entry in told.ours() if entry.action == "RemoteStopTransaction"]
            before = [entry for entry in told.sent_readings() if entry.mono <= stop.mono]
            assert found["episodes_total", ""] == json.loads(before[-1].text)[1]
            assert found["steps_total", "sent"] == json.loads(stop.text)[1]
            assert found["steps_total", "proved"] == found["steps_total", "sent"]

    lived(story())
