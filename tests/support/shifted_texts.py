"""Texts that a model of English product reviews was not judged on."""

from __future__ import annotations

from collections.abc import Sequence

GERMAN = (
    "Der Akku hält bei mir ungefähr zwei Tage, dann muss er wieder geladen werden.",
    "Die Lieferung kam pünktlich, und alles war gut verpackt.",
    "Nach drei Wochen ist leider der Reißverschluss kaputtgegangen.",
    "Das war ein Geschenk für meinen Enkel, und er hat sich sehr gefreut.",
    "Das Gerät ist deutlich kleiner, als es auf dem Bild aussieht.",
    "Für diesen Preis kann man wirklich nicht meckern.",
    "Die Anleitung gibt es nur auf Englisch, und sie ist schwer zu verstehen.",
    "Sehr leise, auch auf der höchsten Stufe hört man ihn kaum.",
    "Ich würde ihn jederzeit wieder kaufen und habe ihn schon empfohlen.",
    "Die Farbe entspricht leider nicht der Beschreibung auf der Seite.",
    "Am Anfang roch es stark nach Plastik, nach einer Woche war das weg.",
    "Die Schrauben fehlten, aber der Händler hat sofort neue geschickt.",
    "Mein Mann benutzt die Lampe jeden Abend zum Lesen im Bett.",
    "Das Kabel ist nur einen Meter lang und reicht nicht bis zum Tisch.",
    "Der Ton ist klar, die Bässe könnten allerdings kräftiger sein.",
    "Passt genau in das Fach hinter dem Fahrersitz.",
    "Nach dem Waschen ist die Jacke eine ganze Größe eingelaufen.",
    "Der Aufbau hat zu zweit keine halbe Stunde gedauert.",
    "Leider schaltet sich das Gerät nach zehn Minuten von selbst ab.",
    "Die Klinge ist auch nach einem Jahr noch scharf.",
    "Für kleine Hände ist der Griff etwas zu dick.",
    "Der Deckel schließt nicht richtig, und in der Tasche läuft alles aus.",
    "Endlich ein Rucksack, bei dem die Träger nicht drücken.",
    "Man sieht jeden Fingerabdruck auf der glänzenden Oberfläche.",
)
"""Sentences of reviews, about as long as the English ones."""


def shortened(sentences: Sequence[str], words: int = 3) -> list[str]:
    """Keep the first words of each sentence."""
    return [" ".join(sentence.split()[:words]) for sentence in sentences]
