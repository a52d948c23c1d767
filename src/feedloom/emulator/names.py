"""The words of which people and their companies are made up. Names of people come with their spelling in an address."""

from __future__ import annotations

FIRST_NAMES = (
    ("Maria", "maria"), ("Jonas", "jonas"), ("Aisha", "aisha"), ("Léa", "lea"), ("Søren", "soren"), ("Мария", "maria"),
    ("Kenji", "kenji"), ("Noah", "noah"), ("Zoë", "zoe"), ("Алексей", "alexey"), ("Priya", "priya"), ("Tomás", "tomas"),
    ("Emma", "emma"), ("Omar", "omar"), ("Ingrid", "ingrid"), ("Wei", "wei"), ("Olga", "olga"), ("Björn", "bjorn"),
    ("Chloé", "chloe"), ("Luca", "luca"), ("Fatima", "fatima"), ("Daniel", "daniel"), ("Ольга", "olga"),
    ("Hannah", "hannah"), ("Mateo", "mateo"), ("Yuki", "yuki"), ("Grace", "grace"), ("Viktor", "viktor"),
    ("Amélie", "amelie"), ("Samuel", "samuel"), ("Nadia", "nadia"), ("Paweł", "pawel"), ("Carla", "carla"),
    ("Иван", "ivan"), ("Leila", "leila"), ("Hugo", "hugo"), ("Sofia", "sofia"), ("Arjun", "arjun"), ("Mia", "mia"),
    ("Oscar", "oscar"), ("Ruth", "ruth"), ("Jürgen", "juergen"), ("Anya", "anya"), ("Peter", "peter"),
    ("李娜", "lina"), ("Elena", "elena"), ("Marc", "marc"), ("Tess", "tess"),
)  # fmt: skip

LAST_NAMES = (
    ("Lopez", "lopez"), ("Meyer", "meyer"), ("O'Brien", "obrien"), ("Nguyen", "nguyen"), ("Иванова", "ivanova"),
    ("Kowalski", "kowalski"), ("Tanaka", "tanaka"), ("Müller", "mueller"), ("Rossi", "rossi"), ("Haddad", "haddad"),
    ("Sørensen", "sorensen"), ("Silva", "silva"), ("Patel", "patel"), ("Dubois", "dubois"), ("Novák", "novak"),
    ("Petrov", "petrov"), ("García", "garcia"), ("Smith", "smith"), ("van Dijk", "vandijk"), ("Кузнецов", "kuznetsov"),
    ("Yilmaz", "yilmaz"), ("Larsen", "larsen"), ("Kim", "kim"), ("Brown", "brown"), ("Moreau", "moreau"),
    ("Fischer", "fischer"), ("Okafor", "okafor"), ("Svensson", "svensson"), ("Costa", "costa"), ("Walker", "walker"),
    ("Singh", "singh"), ("Horváth", "horvath"), ("Jones-Reed", "jonesreed"), ("Bianchi", "bianchi"), ("Weiss", "weiss"),
    ("Andersson", "andersson"), ("Marino", "marino"), ("Cohen", "cohen"), ("Adeyemi", "adeyemi"), ("Clark", "clark"),
    ("Popescu", "popescu"), ("Virtanen", "virtanen"), ("Castro", "castro"), ("Hughes", "hughes"), ("Ito", "ito"),
    ("Shevchenko", "shevchenko"), ("Lindgren", "lindgren"), ("Abe", "abe"),
)  # fmt: skip

COMPANY_FIRST = (
    "North", "Blue", "Bright", "Silver", "Quiet", "Rapid", "Green", "Iron", "Clear", "Golden", "River", "Stone",
    "Cedar", "Polar", "Urban", "Amber", "Lunar", "Solid", "Open", "Prime", "Harbor", "Summit", "Vivid", "Maple",
)  # fmt: skip

COMPANY_SECOND = (
    "wind", "leaf", "bridge", "field", "point", "works", "stack", "line", "forge", "light", "gate", "craft", "path",
    "wave", "spring", "mark", "crest", "loop", "grid", "trail", "scale", "nest", "port", "beam",
)  # fmt: skip

COMPANY_LAST = ("", "", "", " Labs", " Group", " GmbH", " Ltd", " & Sons")

INDUSTRIES = ("Software", "Retail", "Logistics", "Health", "Finance", "Education", "Media", "Manufacturing")

JOB_TITLES = (
    "Analyst", "Product Manager", "Engineer", "Designer", "Head of Support", "Founder", "Accountant", "Marketing Lead",
    "Data Scientist", "Office Manager", "Consultant", "CTO",
)  # fmt: skip

COUNTRIES = ("US", "DE", "GB", "FR", "PL", "BR", "IN", "JP", "NL", "SE", "CA", "AU")
