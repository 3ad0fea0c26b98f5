"""Sentences about devices: what is known of them, and the repairs an owner can switch on. Part of the catalogue."""

from __future__ import annotations

from ocpp_watchdog.texts.catalogue import Sentence

DEVICES: dict[str, Sentence] = {
    "list": Sentence(
        de="Bekannte Geräte ({count}); mehr mit: ocpp-watchdog knowledge HERSTELLER MODELL FIRMWARE",
        en="Known devices ({count}); more with: ocpp-watchdog knowledge VENDOR MODEL FIRMWARE",
    ),
    "entry": Sentence(
        de='{title}: {facts} Tatsachen; Hersteller enthält "{vendor}", Modell enthält "{model}"; Firmware {releases}',
        en='{title}: {facts} facts; vendor contains "{vendor}", model contains "{model}"; firmware {releases}',
    ),
    "nothing": Sentence(
        de='Über Hersteller "{vendor}", Modell "{model}" ist nichts bekannt.',
        en='Nothing is known of vendor "{vendor}", model "{model}".',
    ),
    "head": Sentence(
        de="{title}, Firmware {version}: {facts} Tatsachen treffen zu",
        en="{title}, firmware {version}: {facts} facts apply",
    ),
    "head.may": Sentence(
        de="{title}, Firmware unbekannt: {facts} Tatsachen können zutreffen",
        en="{title}, firmware unknown: {facts} facts may apply",
    ),
    "judged": Sentence(de="Anders beurteilt: {changes}", en="Judged otherwise: {changes}"),
    "firmware": Sentence(de="Zur Firmware: {advice}", en="About the firmware: {advice}"),
    "weight.block": Sentence(de="GEFAHR", en="DANGER"),
    "weight.warn": Sentence(de="Warnung", en="warning"),
    "weight.adjust": Sentence(de="Urteil", en="verdict"),
    "weight.info": Sentence(de="Hinweis", en="note"),
    "applies.yes": Sentence(de="{weight}", en="{weight}"),
    "applies.may": Sentence(de="{weight}, kann zutreffen", en="{weight}, may apply"),
    "condition": Sentence(de="Wenn: {text}", en="When: {text}"),
    "advice": Sentence(de="Rat: {text}", en="Advice: {text}"),
    "sources": Sentence(de="Quellen: {sources}", en="Sources: {sources}"),
}
