"""Section III of the sample report: the description of the system. The markup is that of `report_narrative`."""

from service.demo.report_identity import CLOUD, COMPANY, COMPANY_SHORT, MAILER, SYSTEM

OVERVIEW_TEXT = f"""
## The company and its service

{COMPANY} was founded in 2014 and serves 1,140 manufacturers and distributors in 23 countries from offices
in Fallowmere and Saint Orrin. It employs 386 people, of whom 171 work in engineering and operations and 24
in security and compliance.

{SYSTEM} is a hosted exchange for the documents that pass between a manufacturer and its suppliers: orders
and their confirmations, drawings, certificates of material, inspection records, shipping notices and
invoices. A customer sends a document through the web application, an API or a file drop; the service checks
its form, files it under the order to which it belongs, tells the supplier, and keeps a history of who has
seen and answered it. Documents may hold designs and prices, so customers rely on the service to keep them
confidential, and since production waits for them, to be available.

This description covers the production environment of {SYSTEM}, the people, processes and tools that build
and operate it, and the two offices. It does not cover the consulting services of {COMPANY_SHORT}, the
desktop viewer that customers install themselves, or features marked as preview.

## Principal service commitments and system requirements

Commitments to customers are made in the master agreement, the service level schedule and the description
published on the trust pages. They are the same for all customers, save where an agreement says otherwise.
The principal ones are:

@commitments

From these commitments management derives system requirements, which are recorded in policies, design
records and the configuration baseline. They include the encryption of customer data at rest and in transit,
the separation of tenants, authorisation of every access by role and need, tested recovery of every class of
data store, review of every change by a second person, and the retention and deletion of data on a schedule.

## Components of the system

### Infrastructure {{#architecture}}

The platform runs on computing, storage and network services of {CLOUD}, in three availability zones of its
North region, with a recovery site in its East region. Production, staging and development are separate
accounts, joined by no network path. Figure 1 shows the production environment.

@figure-architecture

Requests from the internet arrive at an edge tier that ends TLS, filters known attacks and limits rates. The
gateway authenticates each request and hands it to one of 37 services, which run as containers on hosts that
are rebuilt from a signed image at least every fourteen days. Services speak to one another over mutually
authenticated connections, and each may call only those that its manifest names. Customer documents lie in
an object store; the facts about them, in relational databases; the search index can be rebuilt from both.

Engineers reach production only through the access broker (<a href="#control-AC-06"
color="#1d4f73">AC-06</a>), which issues a short-lived certificate for a stated reason and records the
session. There is no other network path for administration. The security tooling stands in an account of its
own, to which production can write and from which it cannot delete.

### Software

@software

### People

Responsibilities are divided so that no one person can request, approve and carry out a change or a grant of
access. Figure 2 shows the functions that take part in operating the system.

@figure-organisation

- <b>Engineering</b> designs, builds and reviews the services, and is on call for those that it owns.
- <b>Reliability</b> operates the platform, manages capacity, backup and recovery, and leads the response to
disruption.
- <b>Security operations</b> watches the environment at all hours from both offices and leads the response
to attacks.
- <b>Identity</b> operates the identity provider, the access broker and the provisioning of access.
- <b>Compliance</b> maintains policies, assesses risks and suppliers, and plans internal audits.
- <b>Customer support</b> assists customers and speaks for them in incidents; it sees customer data only by
consent.
- <b>People operations</b> checks, hires and trains personnel and sees to their orderly leaving.

### Data {{#dataflow}}

Customer data is whatever a customer or its suppliers put into the service, with what the service derives
from it. Four classes are told apart: public, internal, confidential and customer. The last is handled under
the strictest rules. Figure 3, on the following page, shows how a document moves from its sender to its
recipient and where it rests. The table after it lists the data stores, what they hold and how they are
protected.

@classes
"""

DATAFLOW_TEXT = """
@figure-dataflow
"""

STORES_TEXT = """
### Data stores, protection and retention

@stores
"""

PROCESS_TEXT = f"""
### Procedures

Policies are approved by their owners each year and published on the intranet. Under them stand procedures
for access, change, vulnerability, incident, backup, supplier and data handling. The paragraphs that follow
describe those that matter most to the commitments; the controls that result are listed in Section IV.

## Control environment and governance

### Integrity and oversight

The code of conduct is acknowledged by everyone who joins and again each year. It names the ways to raise a
concern, one of them anonymous, and protects those who use them. The board meets each quarter. Its audit and
risk committee, three of whose four members are independent of management, receives a written report on
security and availability at each meeting and meets the Chief Information Security Officer without other
management present at least twice a year.

### Competence and accountability

Roles are described in writing, with the skills that they call for. Candidates are checked against them, and
a background check is completed before access to production is granted. New personnel complete awareness
training within thirty days; engineers add a course on secure development whose exercises are drawn from
weaknesses found in the company’s own code. Objectives include security duties, and managers review
performance against them once a year.

### Policies and their exceptions

Nineteen policies are in force. A team that cannot meet one asks for an exception, which states the reason,
the risk, what compensates for it and the date by which the policy will be met. The Chief Information
Security Officer grants it for at most 180 days. In the period 23 exceptions were granted, and four were
refused.

## Risk assessment

The annual assessment begins with the service commitments and asks, for each component and each supplier,
what could prevent them from being met. Likelihood and impact are rated on scales of five, with worked
examples so that ratings made by different people can be compared. Fraud is considered in a workshop of its
own. Each risk has an owner, who decides with the risk forum whether to treat, accept, transfer or avoid it;
a risk rated high can be accepted only by the Chief Executive, and for one year at most. Figure 4 shows the
register after treatment.

The risk forum meets each month. It considers changes in the business, in technology, in law and at
suppliers, along with the results of penetration tests, audits and incidents. Significant change leads to a
new assessment of the part concerned. In the period this happened twice: when the search index was replaced
and when the second sending region was planned.

@figure-risk

## Access to the system

### Identification and authentication

The identity provider is the single source of identity for personnel. It demands a hardware-backed second
factor for every sign-in, and a device that the management console knows and finds in order. Two emergency
accounts exist for the case that the identity provider is lost; their credentials are sealed, kept in
separate safes, and each use alerts the security operations team.

Users of customers are identified by the customer’s own identity provider, by SAML or OpenID Connect, or by
a password with a second factor. Customers choose which, and administer their users themselves.

### Granting, reviewing and withdrawing access

Access follows from roles. Joining a role is requested in a ticket, approved by the manager and by the owner
of the system, and provisioned by a connector that reads the approvals. Owners review membership each
quarter, and each month for privileged roles. When someone leaves, the personnel system triggers withdrawal:
within four hours for privileged roles and within one working day for all others.

A command as short as the following, run through the broker, is the usual way to production. The reason must
name an open ticket, or the broker refuses:

```
$ relay-access request --role order-store.read --reason INC-20417 --hours 2
  approved by    duty manager, 14:02:51Z
  certificate    valid until 16:02:51Z, session recorded
```

### Network protection

The boundary denies by default. Rules are kept as code, are changed only by merge request and are
recertified twice a year. The edge tier absorbs floods of traffic and blocks known attacks. Hosts have no
public addresses; their way out leads through a proxy that permits only listed destinations.

### Physical access

Data centres are operated by {CLOUD}. Offices hold no production systems; doors are opened by personal
badge, and visitors are signed in and escorted.

## Encryption and keys

Customer data is encrypted at rest with AES-256 under data keys that are wrapped by master keys in the key
management service, which never leave its hardware. Each tenant has its own data keys. In transit, TLS 1.2
or later is required; the edge prefers 1.3, by which 96 per cent of connections were made in September 2026.
Services obtain secrets from the secret store at start, and a scanner blocks commits that contain one.

## Operating the system

### Monitoring and detection

Logs of identity, network, hosts and applications flow to a central store that is write-once for 400 days.
About 160 detection rules search them, of which a third were added or rewritten in the period after
exercises with a red team. Alerts are triaged at all hours; those rated high within thirty minutes.
Automated checks compare the configuration with the baseline every six hours.

### Weaknesses

Hosts, images and libraries are scanned daily. Findings are rated by what an attacker could do with them in
this environment, not by their published score alone, and are remedied within seven, thirty or ninety days.
An independent firm tests the public interfaces each year. In May 2026 it reported nine findings, none
critical; all are closed.

### Incidents

An incident is declared by anyone who believes that a commitment may be at risk. The plan defines four
severities, who leads, how evidence is kept, and when customers are told: within 24 hours where their data
is concerned, and at once on the status page where the service is disturbed. Each incident rated major or
above is followed by a written review that looks for causes, not for culprits.

@incidents

No incident in the period led to unauthorised disclosure of customer data, or to a failure to meet the
principal service commitments as a whole. In December 2025 the monthly availability commitment was met with
little margin, as Figure 5 shows.

## Changing the system

Changes to code and infrastructure are made by merge request. It names its reason, carries its tests and is
approved by someone other than its author; the platform enforces this. The build service signs what it
builds and keeps a record of source, dependencies and builder, which deployment checks. A release goes first
to one in twenty hosts and is withdrawn by itself if error rates or latency breach the objective.
Significant changes begin with a design record that the architecture forum approves.

When the service is disturbed, the engineer on duty may deploy with one approval by chat. Such a change is
reviewed in full within two working days. In the period 2,316 changes were deployed, 31 of them as
emergencies.

## Availability and recovery

### Capacity and resilience

Each service has objectives for errors, latency and saturation, and pages the engineer on duty before
customers would notice. Capacity is forecast each month for six months. The platform runs in three zones and
loses one without operator action, as an exercise in August 2026 confirmed with live traffic.

@figure-availability

### Backup and restoration

Data stores are copied continuously to the recovery region and backed up daily; backups are kept for 35 days
under a retention lock that not even administrators can lift. Restoration is tested each quarter for each of
six classes of data store against a recovery time of four hours and a recovery point of fifteen minutes.
Failover of the whole service is exercised once a year. In March 2026 it took 2 hours and 51 minutes.

@recovery

## Confidentiality and disposal

Support staff see customer data only with the customer’s consent, given in the ticket for a stated time, and
the customer sees each access in its own history. Customer data is not used outside production, nor to train
models of any kind.

When an agreement ends, the customer has thirty days to export its data. It is then deleted from the live
stores within thirty days and leaves the backups as these expire, within thirty-five days more. Destroying
the tenant’s data keys, at the end of the first step, makes what remains in backups unreadable. Paper and
media are destroyed by a bonded supplier.

## Changes to the system during the period

The following changes are likely to be relevant to users of this report. None required a change of the
commitments.

@changes

## Subservice organisations

{COMPANY_SHORT} uses two subservice organisations, whose controls are excluded from this description (the
carve-out method). It assesses each of them every year, reads their assurance reports, and follows up on
exceptions and on the user entity controls that those reports assume (<a href="#control-VN-02"
color="#1d4f73">VN-02</a>). The following types of controls are assumed to be suitably designed and to
operate effectively at them.

@subservice

## Complementary user entity controls {{#cuec}}

{SYSTEM} was designed on the assumption that customers apply certain controls. They are needed, in
combination with those of {COMPANY_SHORT}, to meet the criteria named. Users of this report should consider
whether they are in place.

@cuecs

## Criteria that do not apply

All criteria in the categories of security, availability and confidentiality apply to the system. The
physical protection of data centres, within CC6.4, and environmental protection, within A1.2, are met by
{CLOUD}; protection of messages after they are handed over for sending, within CC6.7, is met by {MAILER}.
"""
