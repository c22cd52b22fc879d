"""The smaller tables of the sample report, as rows of text: the first row is the header."""

from service.demo.report_identity import AUDITOR, CLOUD, COMPANY, MAILER, PERIOD, REPORT_DATE, SYSTEM, written

Rows = tuple[tuple[str, ...], ...]

FACTS: Rows = (
    ("Subject", "In this report"),
    ("Service organisation", COMPANY),
    ("System", SYSTEM),
    ("Type of report", "SOC 2, Type II"),
    ("Period", PERIOD),
    ("Categories", "Security, availability, confidentiality"),
    ("Subservice organisations", f"{CLOUD}, {MAILER} (both carved out)"),
    ("Service auditor", AUDITOR),
    ("Date of the auditor’s report", written(REPORT_DATE)),
    ("Opinion", "Unqualified, with three exceptions noted"),
)

COMMITMENTS: Rows = (
    ("Category", "Commitment"),
    (
        "Security",
        "Customer data is protected against unauthorised access by controls that are reviewed each year by an "
        "independent auditor. Customers are told of a breach of their data within 24 hours of its confirmation.",
    ),
    (
        "Availability",
        "The service is available for 99.9 per cent of each month, planned maintenance excepted, which is "
        "announced seven days ahead and takes four hours a month at most.",
    ),
    (
        "Availability",
        "After a disaster, service resumes within four hours, with a loss of at most fifteen minutes of data.",
    ),
    (
        "Confidentiality",
        "Customer data is used only to provide the service. It is seen by personnel only with the customer’s "
        "consent or where the law compels it.",
    ),
    (
        "Confidentiality",
        "Customer data is deleted within thirty days of the end of an agreement, and from backups within "
        "thirty-five days more.",
    ),
)

SOFTWARE: Rows = (
    ("Component", "Purpose", "Built or bought"),
    ("Edge tier", "Ends TLS, filters attacks, limits rates", "Bought as a service"),
    ("Gateway", "Authenticates requests, routes them to services", "Built"),
    ("Intake services", "Receive documents; check form, size and content for malware", "Built"),
    ("Order graph", "Relates documents to orders, parties and one another", "Built"),
    ("Notification service", "Composes notices and hands them over for sending", "Built"),
    ("Search", "Finds documents by words and facts", "Open source, operated by Reliability"),
    ("Relational databases", "Facts, users, permissions, history", "Open source, managed by the host"),
    ("Identity provider", "Identities, groups and sign-in of personnel", "Bought as a service"),
    ("Access broker", "Short-lived certificates and recorded sessions", "Built"),
    ("Deployment platform", "Builds, signs, deploys and withdraws releases", "Open source, extended"),
    ("Security log store", "Keeps and searches logs, raises alerts", "Open source, operated by Security"),
)

CLASSES: Rows = (
    ("Class", "Examples", "Handling"),
    (
        "Public",
        "Trust pages, status history, product documentation",
        "Released by its owner; no further restriction",
    ),
    (
        "Internal",
        "Procedures, design records, plans",
        "For personnel; shared outside with the owner’s consent",
    ),
    (
        "Confidential",
        "Contracts, audit evidence, source code, security logs",
        "For those who need it; encrypted at rest and in transit; shared only under agreement",
    ),
    (
        "Customer",
        "Documents, orders, history and users of customers",
        "In production only; encrypted under the tenant’s key; read by personnel only by consent; deleted on schedule",
    ),
)

STORES: Rows = (
    (
        "Store",
        "Holds",
        "Class",
        "At rest",
        "Key",
        "Copies",
        "Backup kept",
        "Deleted after the end of an agreement",
    ),
    (
        "Document store",
        "Documents as sent, and previews made from them",
        "Customer",
        "AES-256",
        "One a tenant",
        "3 zones, 1 region",
        "35 days",
        "30 days, then keys destroyed",
    ),
    (
        "Order database",
        "Orders, parties, relations, states",
        "Customer",
        "AES-256",
        "One a tenant",
        "3 zones, 1 region",
        "35 days",
        "30 days, then keys destroyed",
    ),
    (
        "History database",
        "Who sent, saw, answered or changed what",
        "Customer",
        "AES-256",
        "One a tenant",
        "3 zones, 1 region",
        "35 days",
        "30 days, unless the customer asks for an export first",
    ),
    (
        "User database",
        "Users, roles, settings for sign-in",
        "Customer",
        "AES-256",
        "One a region",
        "3 zones, 1 region",
        "35 days",
        "30 days",
    ),
    (
        "Search index",
        "Words and facts, drawn from the stores above",
        "Customer",
        "AES-256",
        "One a region",
        "3 zones",
        "7 days",
        "With the documents; rebuilt each month",
    ),
    (
        "Message queue",
        "Work in progress, for up to four days",
        "Customer",
        "AES-256",
        "One a region",
        "3 zones",
        "None",
        "4 days",
    ),
    (
        "Secret store",
        "Credentials of services",
        "Confidential",
        "AES-256, sealed",
        "Hardware",
        "3 zones, 1 region",
        "35 days",
        "Does not apply",
    ),
    (
        "Security log store",
        "Logs and alerts, without document content",
        "Confidential",
        "AES-256",
        "One a region",
        "2 regions",
        "400 days",
        "400 days after the event",
    ),
    (
        "Build archive",
        "Source, artefacts, signatures, provenance",
        "Confidential",
        "AES-256",
        "One a region",
        "2 regions",
        "3 years",
        "Does not apply",
    ),
)

INCIDENTS: Rows = (
    ("Opened", "Severity", "What happened", "Effect on customers", "Closed"),
    (
        "2025-11-18",
        "Major",
        "A certificate between two services ran out",
        "Notices late by up to 50 minutes",
        "2025-11-18",
    ),
    (
        "2025-12-09",
        "Critical",
        "A faulty index migration held locks in the order database",
        "Service unavailable for 38 minutes",
        "2025-12-10",
    ),
    (
        "2026-02-03",
        "Major",
        "An engineer’s laptop was stolen; disk encrypted, device wiped",
        "None",
        "2026-02-04",
    ),
    (
        "2026-04-27",
        "Major",
        "Many sign-in attempts with credentials stolen elsewhere",
        "None; attempts blocked at the edge",
        "2026-04-29",
    ),
    (
        "2026-07-14",
        "Major",
        "Loss of a zone at the host during a storm",
        "None; traffic moved to two zones",
        "2026-07-14",
    ),
    (
        "2026-08-21",
        "Major",
        "A supplier disclosed a weakness in a library in use",
        "None; patched within 31 hours",
        "2026-08-24",
    ),
)

RECOVERY: Rows = (
    ("Class of data store", "Oct–Dec 2025", "Jan–Mar 2026", "Apr–Jun 2026", "Jul–Sep 2026"),
    ("Documents", "1 h 44 min", "1 h 39 min", "1 h 52 min", "1 h 31 min"),
    ("Relational databases", "2 h 10 min", "2 h 26 min", "2 h 02 min", "1 h 58 min"),
    ("Search index", "3 h 05 min", "Not performed", "2 h 47 min", "2 h 40 min"),
    ("Message queue", "22 min", "19 min", "24 min", "18 min"),
    ("Secret store", "31 min", "35 min", "29 min", "33 min"),
    ("Security logs", "3 h 12 min", "3 h 20 min", "2 h 58 min", "3 h 01 min"),
)

CHANGES: Rows = (
    ("Month", "Change", "Bearing on controls"),
    (
        "2025-11",
        "Signing of build artefacts extended to all services",
        "CM-05 covers all of production from November 12",
    ),
    (
        "2026-01",
        "Search index replaced by a new version",
        "New risk assessment; restore test postponed, see AV-04",
    ),
    ("2026-02", "Provisioning refuses a grant without both approvals", "AC-03 strengthened"),
    ("2026-05", "Recorded sessions extended to database consoles", "AC-06 strengthened"),
    ("2026-06", "Reviews of emergency changes assigned to the duty manager", "CM-02 strengthened"),
    ("2026-08", "Hosts rebuilt every 14 days instead of 30", "OP-01 unchanged"),
)

SUBSERVICE: Rows = (
    ("Organisation", "Service", "Types of controls assumed", "Criteria"),
    (
        CLOUD,
        "Computing, storage, network, key management",
        "Physical access to data centres is limited to authorised people and logged",
        "CC6.4",
    ),
    (CLOUD, "", "Power, cooling and fire protection are maintained and tested", "A1.2"),
    (CLOUD, "", "Storage is erased or destroyed before it leaves the data centre", "CC6.5"),
    (
        CLOUD,
        "",
        "The virtualisation layer separates customers and is kept free of known weaknesses",
        "CC6.1, CC7.1",
    ),
    (CLOUD, "", "Master keys cannot be exported from the hardware that holds them", "CC6.1, C1.1"),
    (
        MAILER,
        "Sending of notifications by e-mail",
        "Messages are encrypted in transit where the receiver offers it",
        "CC6.7",
    ),
    (MAILER, "", "Message content is deleted within seven days of sending", "C1.2"),
    (MAILER, "", "Access to message content is limited to authorised personnel", "CC6.1, CC6.3"),
)

CUECS: Rows = (
    ("No.", "User entities are responsible for", "Criteria"),
    (
        "1",
        "granting and withdrawing their users’ access, and reviewing it at intervals that suit their risks",
        "CC6.2, CC6.3",
    ),
    (
        "2",
        "requiring a second factor of their users, in their own identity provider or in the settings of the service",
        "CC6.1",
    ),
    ("3", "keeping API credentials secret and replacing them when people who know them leave", "CC6.1"),
    ("4", "choosing with which suppliers an order and its documents are shared", "CC6.3, C1.1"),
    (
        "5",
        "not sending documents whose handling the master agreement excludes, such as classified material",
        "C1.1",
    ),
    ("6", "securing the devices and networks from which their users work", "CC6.6, CC6.8"),
    ("7", "naming contacts for incidents and maintenance, and keeping them current", "CC2.3, CC7.4"),
    ("8", "telling the company without delay of any suspected misuse of an account", "CC7.3"),
    ("9", "exporting their data before an agreement ends", "C1.2, A1.2"),
    ("10", "planning how to work during an interruption within the commitments", "A1.3, CC9.1"),
)

PROCEDURES: Rows = (
    ("Procedure", "What was done"),
    (
        "Inquiry",
        "Asked those who operate the control what they do, how and when. Inquiry alone was never relied upon.",
    ),
    ("Observation", "Watched the control being carried out or took part in an attempt to circumvent it."),
    (
        "Inspection",
        "Read documents, records, configurations and logs that show that the control was carried out.",
    ),
    (
        "Reperformance",
        "Carried out the control, or the relevant part of it, independently and compared the result.",
    ),
)

SAMPLES: Rows = (
    ("How often the control operates", "Items tested, at least"),
    ("Each year", "1"),
    ("Each quarter", "2"),
    ("Each month", "3 to 5"),
    ("Each week", "8"),
    ("Each day", "25"),
    ("Many times a day, or on demand", "25 to 40, or all where fewer than 10 occurred"),
    ("Automated", "1 for each kind of case, where change is controlled"),
)

GLOSSARY: Rows = (
    ("Term", "Meaning in this report"),
    ("Access broker", "The only way for personnel to reach production interactively"),
    ("Availability zone", "A group of data centres with power and network of its own"),
    ("Carve-out method", "The description leaves out the controls of a subservice organisation"),
    ("Complementary control", "A control that the design assumes someone else to apply"),
    (
        "Customer data",
        "What customers and their suppliers put into the service, with what is derived from it",
    ),
    ("Detection rule", "A query over security logs that raises an alert"),
    ("Exception", "An instance in which a control did not operate as described"),
    ("Privileged role", "A role that can change production or its protection, or read customer data"),
    ("Recovery point", "How far back in time restored data may reach"),
    ("Recovery time", "How long restoring a service may take"),
    ("Retention lock", "A setting by which stored objects cannot be altered or removed before a date"),
    ("Subservice organisation", "A supplier whose controls are needed to meet the commitments"),
    ("User entity", "A customer that uses the system"),
)

REFERENCES: Rows = (
    ("Subject", "Where"),
    ("Trust pages, with current certificates and reports", "https://trust.quernhollow.example/"),
    ("Status of the service and its history", "https://status.quernhollow.example/history"),
    ("List of subprocessors", "https://trust.quernhollow.example/subprocessors"),
    ("Reporting of weaknesses", "https://trust.quernhollow.example/security.txt"),
    ("Service level schedule", "https://legal.quernhollow.example/service-levels"),
)
