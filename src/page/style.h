/* How pages look: light and dark, at any width from 320 pixels, on paper. */
#ifndef EEX_PAGE_STYLE_H
#define EEX_PAGE_STYLE_H

#define EEX_PAGE_LIGHT                                                                     \
    "--paper:#f6f5f2;--card:#fff;--ink:#1c2228;--soft:#5d6873;--line:#dcdfe2;"             \
    "--grid:#e4e6e9;--accent:#2563a8;--c1:#2b6cb0;--c2:#d9622b;--c3:#2f8f63;--c4:#8e55b4;" \
    "--c5:#b98a10;--c6:#128b9a;--c7:#c4477f;--c8:#9aa4ae;"
#define EEX_PAGE_DARK                                                                      \
    "--paper:#12161b;--card:#1a2027;--ink:#e4e8ec;--soft:#98a4b0;--line:#2c343d;"          \
    "--grid:#29313a;--accent:#6fb0f5;--c1:#6fb0f5;--c2:#f2915f;--c3:#63cb98;--c4:#c495e6;" \
    "--c5:#e3bc55;--c6:#56c7d4;--c7:#f08cb8;--c8:#75818d;"

#define EEX_PAGE_STYLE                                                                            \
    ":root{" EEX_PAGE_LIGHT "color-scheme:light dark}\n"                                          \
    "@media screen and (prefers-color-scheme:dark){:root{" EEX_PAGE_DARK "}}\n"                   \
    "*{box-sizing:border-box}\n"                                                                  \
    "body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,"             \
    "-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;"                          \
    "-webkit-text-size-adjust:100%}\n"                                                            \
    "main{max-width:78rem;margin:0 auto;padding:clamp(1rem,4vw,2.5rem)}\n"                        \
    "h1{font-size:clamp(1.6rem,5vw,2.4rem);line-height:1.15;margin:0 0 .3rem;"                    \
    "letter-spacing:-.02em;overflow-wrap:anywhere}\n"                                             \
    "h2{font-size:1.35rem;margin:2.6rem 0 .8rem;letter-spacing:-.01em;overflow-wrap:anywhere}\n"  \
    "h3{font-size:1.02rem;margin:1.4rem 0 .5rem}\n"                                               \
    "p{max-width:70ch;margin:.5rem 0}a{color:var(--accent)}\n"                                    \
    ".lead,.note,figcaption span,.tile span,caption{color:var(--soft)}\n"                         \
    ".note{font-size:.9rem}\n"                                                                    \
    ".tiles{display:grid;gap:.8rem;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));"    \
    "margin:1.4rem 0}\n"                                                                          \
    ".tile,.chart,.card{background:var(--card);border:1px solid var(--line);"                     \
    "border-radius:12px}\n"                                                                       \
    ".tile{padding:.8rem 1rem}.tile b{display:block;font-size:1.55rem;line-height:1.25;"          \
    "letter-spacing:-.02em;font-variant-numeric:tabular-nums}\n"                                  \
    ".tile span{display:block;font-size:.82rem;line-height:1.35}\n"                               \
    ".charts .card{margin:0;min-width:0}.charts{display:grid;gap:1rem;align-items:start;"         \
    "grid-template-columns:repeat(auto-fill,minmax(min(100%,27rem),1fr))}\n"                      \
    ".chart{margin:0;padding:1rem;min-width:0}.card{padding:.4rem 1rem;margin:.8rem 0}\n"         \
    "figcaption strong{display:block;font-size:1.02rem}"                                          \
    "figcaption span{font-size:.86rem}\n"                                                         \
    ".legend{list-style:none;display:flex;flex-wrap:wrap;gap:.15rem 1rem;margin:.5rem 0 0;"       \
    "padding:0;font-size:.84rem}.legend li{overflow-wrap:anywhere}\n"                             \
    ".legend span{display:inline-block;width:1.1rem;height:0;margin-right:.45rem;"                \
    "vertical-align:middle;border-top:3px solid}\n"                                               \
    ".legend .dashed{border-top-style:dashed}.legend .dot{width:.6rem;height:.6rem;"              \
    "border:0;border-radius:50%;background:currentColor}"                                         \
    ".legend .box{width:.7rem;height:.7rem;border:0;border-radius:2px;background:currentColor}\n" \
    ".k1{color:var(--c1)}.k2{color:var(--c2)}.k3{color:var(--c3)}.k4{color:var(--c4)}"            \
    ".k5{color:var(--c5)}.k6{color:var(--c6)}.k7{color:var(--c7)}.k8{color:var(--c8)}\n"          \
    ".plot{display:block;width:100%;height:auto;color:var(--soft);margin:.4rem 0}"                \
    ".plot text{font-family:inherit}\n"                                                           \
    ".plot use,.plot circle{pointer-events:all}.plot g:hover>use{stroke:var(--ink);"              \
    "stroke-width:1.2}\n"                                                                         \
    "details{margin:.4rem 0}summary{cursor:pointer;color:var(--soft);font-size:.88rem;"           \
    "padding:.2rem 0}details .wide{max-height:26rem}\n"                                           \
    ".wide{overflow:auto;max-width:100%}\n"                                                       \
    "table{border-collapse:collapse;width:100%;font-size:.9rem;"                                  \
    "font-variant-numeric:tabular-nums}\n"                                                        \
    ".facts th,.facts td{white-space:normal}.facts td{overflow-wrap:anywhere}\n"                  \
    "th,td{text-align:left;padding:.38rem .7rem;border-bottom:1px solid var(--line);"             \
    "vertical-align:top;white-space:nowrap}th{font-weight:600}"                                   \
    "thead th{color:var(--soft);font-weight:500;font-size:.82rem}\n"                              \
    ".n{text-align:right}tbody tr:last-child>*{border-bottom:0}\n"                                \
    ".strip{display:grid;gap:.6rem;grid-template-columns:repeat(auto-fill,minmax(4.9rem,1fr));"   \
    "margin:.3rem 0 1.1rem}\n"                                                                    \
    ".strip figure{margin:0;min-width:0;font-size:.72rem;line-height:1.25}"                       \
    ".strip img{width:100%;height:auto;display:block;border-radius:6px;"                          \
    "image-rendering:pixelated;background:var(--line)}"                                           \
    ".strip figcaption{margin-top:.2rem;overflow-wrap:anywhere;color:var(--soft)}"                \
    ".strip .wrong{color:var(--c2)}\n"                                                            \
    "pre{overflow:auto;max-height:30rem;margin:.4rem 0;padding:.9rem;font-size:.8rem;"            \
    "line-height:1.45;background:var(--paper);border-radius:8px;tab-size:4}\n"                    \
    "@media(max-width:30rem){.chart{padding:.8rem .6rem}}\n"                                      \
    ".run>summary{font-size:1rem;padding:.5rem 0;border-top:1px solid var(--line)}"               \
    ".run>summary b{color:var(--ink);font-weight:600}\n"                                          \
    "h1.run{margin-top:4rem;padding-top:1.6rem;border-top:1px solid "                             \
    "var(--line);font-size:1.7rem}\n"                                                             \
    "@media print{body{background:#fff;font-size:11pt}main{max-width:none;padding:0}"             \
    ".chart,.tile,.strip figure{break-inside:avoid}.charts{grid-template-columns:1fr 1fr}"        \
    "h1,h2,h3{break-after:avoid}.wide,pre,details .wide{overflow:visible;max-height:none}"        \
    "pre{white-space:pre-wrap}}\n"

#endif
