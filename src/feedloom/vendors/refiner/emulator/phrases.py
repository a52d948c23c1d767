"""What people write into open questions, harmless and less so."""

from __future__ import annotations

PRAISE = (
    "The new reports save me about two hours every week, and that is no exaggeration.",
    "Support answered within minutes and solved it on the first try.",
    "Setup was easier than with any other tool we have tried so far.",
    "Great value for the money, and our whole team uses it every day.",
    "I like how fast search has become since the last update.",
    "It simply works, and that is all I ask for.",
    "Отличная поддержка, всё понятно сразу.",
    "Your documentation is the best I have seen in a long time 🎉",
    "The dashboards convinced our management in a single meeting.",
    "Die Bedienung ist schlicht und durchdacht.",
)

COMPLAINTS = (
    "Exports time out as soon as we select more than three months of data.",
    "The app logs me out several times a day, which is really annoying.",
    "Since the last release everything feels slower than before.",
    "Prices went up twice this year without any new features for us.",
    "I waited four days for an answer and then got a link to the docs.",
    "Notifications arrive twice, or not at all, and nobody knows why.",
    "Слишком сложно найти нужную настройку.",
    "The mobile version lacks half of what we need in the field.",
    "Could not invite my colleague because of an unclear error message.",
    "Le rapport hebdomadaire arrive souvent en retard.",
)

REMARKS = (
    "Please add keyboard shortcuts to the editor.",
    "A dark mode would be nice, nothing else to add.",
    "I am still getting to know the product, so ask me again later.",
    "Would love to see an integration with our ticket system.",
    "It does the job; the navigation could be clearer in places.",
    "Nothing special to report this time.",
    "We use only two of the modules, so I cannot say much about the rest.",
    "An export to PDF with our own logo would help us a lot.",
    "Bitte mehr Beispiele in der Anleitung.",
    "More colours for charts, please: ours all look the same.",
)

ODDITIES = (
    "=1+1",
    "@mention me when this is done",
    "+1 to what my colleague said",
    "-1, sorry",
    "First line\nsecond line\r\nthird line",
    'She said "it is fine", but it\'s not; see C:\\temp\\log',
    "  leading and trailing spaces  ",
    "tab\tseparated\tvalues, and a comma",
    "null",
    "NaN",
    "🎯🚀 \u202e",
    "<b>bold</b> & <script>alert(1)</script>",
)

ESSAY = ("This is a long story. " * 500)[:10_000]
"""The longest text that newer pages of the vendor allow: 10,000 characters. Source: refiner-notes, Contacts."""

PAGES = (
    "https://app.example/dashboard",
    "https://app.example/reports/weekly?tab=overview",
    "https://app.example/settings/billing",
    "https://app.example/projects/42/board",
    "https://www.example/pricing",
    "https://docs.example/guide/getting-started#install",
)

VERSIONS = ("4.8.0", "4.8.1", "4.9.0", "5.0.0-beta.2", "5.0.0", "5.0.1", "5.1.0", "5.2.3")

BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
)

TITLES = (
    "Dashboard - all projects of the team",
    "Weekly report (last seven days, compared)",
    "Billing & invoices",
    "Board “Launch” / Sprint 12",
    "Plans and prices",
    "Getting started: install the snippet",
)
"""The title of each page, in the order of PAGES."""

LOCALES = ("en-US", "de-DE", "en-GB", "ru-RU", "fr-FR", "pt-BR", "ja-JP", "pl-PL")

REFERRERS = (
    "https://search.example/results?q=customer+feedback+tool&source=web",
    "https://mail.example/inbox/newsletter-2026-02?utm_source=mail&utm_campaign=spring",
    "https://app.example/login?next=%2Fdashboard",
    "",
)

SCREENS = ("1920x1080", "2560x1440", "1440x900", "390x844")
