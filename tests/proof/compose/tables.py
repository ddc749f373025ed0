"""Small tables with everything that a profile must tell apart."""

import random
from pathlib import Path

CITIES = ("Aarau", "Basel", "Chur", "Davos", "Emmen")


def lay_out(folder: Path) -> dict[str, Path]:
    """Sales of two years in files of the same columns, the shops that they belong to, and members with their cards:
    the city of a member is none of a shop, and not every member has a card."""
    rng = random.Random(5)
    header = "sale,shop,day,product,quantity,unit_price,unit_cost,year\n"
    for year in (2019, 2020):
        rows = [_sale(year, n, rng) for n in range(240)]
        (folder / f"sales_{year}.csv").write_text(header + "\n".join(rows) + "\n")
    shops = [f"S{n:02d},{CITIES[n % 5]},{200 + n * 37 % 101 * 7},Shop number {n} of {CITIES[n % 5]}" for n in range(24)]
    (folder / "shops.csv").write_text("shop,city,area,title\n" + "\n".join(shops) + "\n")
    members = [f"M{n:02d},{('Bonn', 'Jena', 'Ulm', 'Kiel')[n % 4]},{n * 13 % 47 + n / 10}" for n in range(60)]
    (folder / "members.csv").write_text("member,city,spent\n" + "\n".join(members) + "\n")
    cards = [f"M{n * 7 % 40:02d},{('blue', 'gold', 'red')[n % 3]},{n * 3 % 31 + n / 10}" for n in range(90)]
    (folder / "cards.csv").write_text("member,colour,points\n" + "\n".join(cards) + "\n")
    (folder / "headless.csv").write_text("\n".join(f"{n},{n * 2},{n * 3}" for n in range(40)))
    births = [f"{('Mary', 'Anna', 'John', 'Emma')[n % 4]},{'FM'[n % 2]},{7065 - n * 3}" for n in range(40)]
    (folder / "births.txt").write_text("\n".join(births) + "\n")
    readings = [
        f"{n % 7},{n * 3 % 11 + 0.5},{n * 5 % 13},{f'0{n % 30 + 400}'},{n + 20 if n % 9 else -999}" for n in range(60)
    ]
    (folder / "readings.csv").write_text("class,heat,heat,site,cold\n" + "\n".join(readings) + "\n")
    (folder / "totals.csv").write_text("month,sold\n" + "".join(f"m{n},{n}\n" for n in range(30)) + "Total,435\n")
    (folder / "tiny.csv").write_text("a,b\n1,2\n")
    return {path.name: path for path in sorted(folder.iterdir())}


def _sale(year: int, n: int, rng: random.Random) -> str:
    product, quantity, price = rng.choice(("tea", "milk", "salt", "rice")), rng.randint(1, 60), rng.randint(100, 900)
    cost = "" if n % 20 == 3 else str(rng.randint(50, 500) / 100)
    day = f"{year}-{n % 12 + 1:02d}-{n % 28 + 1:02d}"
    return f"{year}{n:03d},S{n % 12:02d},{day},{product},{quantity},{price / 100},{cost},{year}"
