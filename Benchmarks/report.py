"""Formats results as a text table, a Markdown table and a drawing."""

SERVERS = ["zonal", "nsd", "knot", "unbound", "bind", "recursor", "knot-resolver", "dnsdist", "dnsmasq"]
# The rows of the combined table: the work, the column of the figure, and its label.
MEASURES = [
    ("private", 0, "private answer, UDP"),
    ("cached", 0, "cached answer, UDP"),
    ("missed", 0, "miss, forwarded"),
    ("missed", 5, "… times a bare relay"),
    ("private-tcp", 0, "private answer, TCP, 50 connections"),
    ("million", 0, "1,000,000 names: private answer"),
    ("million", 2, "… seconds to the first answer"),
    ("million", 3, "… MiB"),
    ("reload", 0, "… p99 during a reload, times that without"),
]


def table(title, figures):
    """Lines of `server  figure…`, sorted by the first column, the best first."""
    columns = figures["columns"]
    rows = sorted(figures["rows"].items(), key=lambda row: row[1][0])
    lines = [[title] + columns] + [[name] + [_text(value) for value in row] for name, row in rows]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns) + 1)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines) + "\n"


def _text(value):
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def one_table(figures):
    """A Markdown table of all works with a column per server; the best of each row is bold."""
    lines = ["| work | " + " | ".join(SERVERS) + " |", "|---" * (len(SERVERS) + 1) + "|"]
    for work, place, title in MEASURES:
        if work not in figures:
            continue
        rows = figures[work]["rows"]
        found = {name: rows[name][place] for name in SERVERS if name in rows}
        best = min(found.values())
        cells = [_cell(found.get(name), best) for name in SERVERS]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(value, best):
    if value is None:
        return "–"
    text = f"{value:.0f}" if value >= 100 else f"{value:.2f}"
    return f"**{text}**" if value == best else text


def svg(figures, day):
    """A bar per server for each work whose figures are ratios."""
    bar, left, width = 16, 150, 420
    parts, y = [], 20
    for title, work in figures.items():
        if not work.get("ratios"):
            continue
        rows = sorted(work["rows"].items(), key=lambda row: row[1][0])
        most = max(row[0] for _, row in rows)
        parts.append(f'<text x="0" y="{y}" font-weight="bold">{title}: {work["columns"][0]}</text>')
        for name, row in rows:
            y += bar + 4
            colour = "#1f6feb" if name == "zonal" else "#b0b7c0"
            length = row[0] / most * width
            parts.append(f'<text x="{left - 8}" y="{y}" text-anchor="end">{name}</text>')
            parts.append(f'<rect x="{left}" y="{y - 12}" width="{length:.1f}" height="{bar}" fill="{colour}"/>')
            parts.append(f'<text x="{left + length + 6:.1f}" y="{y}">{row[0]:.2f}</text>')
        y += 36
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 60}" height="{y}" '
        f'font-family="sans-serif" font-size="13"><title>Zonal and its peers, {day}</title>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )
