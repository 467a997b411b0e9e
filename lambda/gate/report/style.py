"""The page's style sheet: light, dark and print, from a phone's width upwards."""

from __future__ import annotations

from gate.report.markup import Markup

_LIGHT = """--paper:#fff;--card:#f5f6f8;--ink:#1c2128;--soft:#57606a;--rule:#d5dae0;--accent:#0b62a8;--second:#b3470f;
--good:#1a7037;--bad:#b42318;--open:#8a5a00;"""
_DARK = """--paper:#14181d;--card:#1d232a;--ink:#e6eaee;--soft:#a0abb6;--rule:#38424c;--accent:#6cb6ff;--second:#ff9a5c;
--good:#5fd083;--bad:#ff8a80;--open:#f0b84a;"""

STYLE = Markup(
    """:root{color-scheme:light dark;LIGHT}
@media (prefers-color-scheme:dark){:root{DARK}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink)}
body{font:1rem/1.5 system-ui,"Segoe UI",Roboto,"Helvetica Neue",sans-serif}
main,header{max-width:62rem;margin:0 auto;padding:0 1rem}
header{padding-top:1.5rem}
h1{font-size:1.5rem;line-height:1.25;margin:0;overflow-wrap:anywhere}
h2{font-size:1.2rem;line-height:1.3;margin:0 0 .6rem}
header p{color:var(--soft);margin:.25rem 0 0;overflow-wrap:anywhere}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1rem;padding:0;margin:.8rem 0 0;list-style:none;font-size:.9rem}
nav a{display:inline-block;padding:.2rem 0}
a{color:var(--accent)}
section{margin:2.2rem 0;min-width:0}
p,li{max-width:46rem;overflow-wrap:anywhere}
p{margin:.5rem 0}
small{display:block;font-size:.8rem;color:var(--soft)}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));gap:2.2rem 2.5rem;margin:2.2rem 0}
.pair section{margin:0}
.verdict{margin-top:1.2rem;padding:1rem 1.2rem;background:var(--card)}
.verdict{border-left:.4rem solid var(--tone);border-radius:.4rem}
.verdict h2{font-size:1.35rem;color:var(--tone)}
.verdict.good,.good{--tone:var(--good)}
.verdict.bad,.bad{--tone:var(--bad)}
.verdict.open{--tone:var(--open)}
.verdict ul{margin:.5rem 0 0;padding-left:1.2rem}
strong.bad{color:var(--bad)}
.sign{display:inline-block;width:1.4em}
figure{margin:0;max-width:30rem}
figcaption{font-size:.9rem;color:var(--soft)}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));gap:.5rem 2.5rem}
svg,.loss{display:block;width:100%;height:auto}
svg text{font-size:12.5px;fill:var(--ink)}
svg .tick{fill:var(--soft);font-size:11.5px}
svg .small{font-size:10px}
svg .name{font-weight:600}
svg .over{paint-order:stroke;stroke:var(--paper);stroke-width:5;stroke-linejoin:round}
svg .grid{stroke:var(--rule);stroke-width:1}
svg .curve{fill:none;stroke:var(--accent);stroke-width:2;stroke-linejoin:round}
svg .reference{stroke:var(--soft);stroke-width:1;stroke-dasharray:5 4}
svg .threshold{stroke:var(--ink);stroke-width:1}
svg .floor{stroke:var(--bad);stroke-width:1.5;stroke-dasharray:5 3}
svg .floor-name{fill:var(--bad)}
svg .interval{stroke-width:4;stroke-linecap:round;opacity:.55}
svg .challenger{fill:var(--accent);stroke:var(--accent)}
svg .champion{fill:var(--soft);stroke:var(--soft)}
svg .operating{fill:var(--second);stroke:var(--paper);stroke-width:1.5}
svg .markers{fill:var(--accent);stroke:var(--paper);stroke-width:1}
svg .bar{fill:var(--accent);opacity:.35}
svg .right{fill:var(--accent);opacity:.5}
svg .wrong{fill:var(--second);opacity:.85}
.scroll{overflow-x:auto;margin:.6rem 0 1.4rem}
table{border-collapse:collapse;font-size:.92rem;line-height:1.4}
caption{text-align:left;color:var(--soft);padding:0 0 .4rem;font-size:.9rem}
th,td{text-align:left;vertical-align:top;padding:.4rem .8rem .4rem 0;border-bottom:1px solid var(--rule)}
thead th{color:var(--soft);font-weight:600;vertical-align:bottom;overflow-wrap:normal}
tbody th{font-weight:400;overflow-wrap:anywhere}
.numbers tbody th{min-width:9rem}
.numbers td{font-variant-numeric:tabular-nums;white-space:nowrap}
.sentences{width:100%}
.sentences tbody th{min-width:13rem;width:60%}
.facts tbody th{min-width:8rem;color:var(--soft)}
.facts td{overflow-wrap:anywhere;min-width:12rem}
.heat td,.heat th{padding:.6rem .8rem;border:1px solid var(--rule)}
.heat tbody th{overflow-wrap:break-word}
.heat small{color:var(--ink)}
.heat td b{font-size:1.15rem}
.heat .hit{background:color-mix(in srgb,var(--accent) calc(var(--heat)*45%),transparent)}
.heat .miss{background:color-mix(in srgb,var(--second) calc(var(--heat)*45%),transparent)}
summary{cursor:pointer;padding:.4rem 0;color:var(--accent)}
@media (max-width:36rem){.heat td,.heat th{padding:.4rem}.heat{width:100%}
.cards,.cards tbody,.cards caption{display:block}
.cards thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.cards tr{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;padding:.6rem 0;border-bottom:1px solid var(--rule)}
.cards th,.cards td{border:0;padding:0}
.cards tbody th{flex:1 0 100%;width:100%}
.cards td::before{content:attr(data-column);display:block;font-size:.75rem;color:var(--soft)}}
@media print{:root{color-scheme:light;LIGHT}html{font-size:9pt}nav{display:none}
main,header{max-width:none;padding:0}section,.pair{margin:1.4rem 0}.pair,.charts{grid-template-columns:1fr 1fr}
.verdict,figure,tr,.heat{break-inside:avoid}h2,caption,thead{break-after:avoid}
.scroll{overflow:visible}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
""".replace("LIGHT", _LIGHT).replace("DARK", _DARK)
)
"""It holds no address: nothing is fetched."""
