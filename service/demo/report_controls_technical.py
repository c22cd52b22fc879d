"""The sample report’s controls on access, operations, change, suppliers, availability and confidentiality, as text.

The form is that of `report_controls_governance`.
"""

TECHNICAL_CONTROLS = """
# Logical and physical access

[AC-01] CC6.1
Personnel reach internal systems through a central identity provider that demands a hardware-backed second
factor. Local accounts are disabled on production systems, save for two sealed emergency accounts.
> Inspected the identity provider’s configuration and determined that the second factor was enforced for all
groups.
> Observed an attempt to sign in without the second factor and saw that it was refused.
> For a sample of 18 production hosts, inspected the account files and found no local accounts other than
the two.

[AC-02] CC6.1 CC6.3
Access is granted by role. Roles, what they may do and who may approve membership are kept in a register,
and production roles are held apart from those that may approve a change.
> Inspected the register and compared the permissions of a sample of 10 roles with those configured, without
difference.
> Compared the members of production roles with those of approving roles and inspected the waiver for the
one overlap.

[AC-03] CC6.2
Access is requested in a ticket and approved by the manager and by the owner of the system before it is
provisioned.
> For a sample of 40 of the 312 grants of access in the period, inspected the ticket and determined whether
both approvals were recorded before the access was provisioned.

[AC-04] CC6.2 CC6.3
When employment or a contract ends, access is withdrawn within one working day; for privileged roles, within
four hours.
> For a sample of 25 of the 58 people who left, compared the time at which accounts were disabled with the
time of leaving in the personnel system.

[AC-05] CC6.2 CC6.3
Owners of systems review user access every quarter and privileged access every month. Changes that result
are made within ten working days.
> For a sample of two quarters and four months, inspected the reviews and determined that they were complete
and that required changes were made in time.

[AC-06] CC6.1
Interactive access to production goes through a broker that issues certificates valid for eight hours at
most and records each session.
> Inspected the broker’s configuration and determined that certificates could not be issued for longer than
eight hours.
> For a sample of 15 sessions, inspected the recording and the ticket that the session named as its reason.

[AC-07] CC6.1 C1.1
Customer data is encrypted at rest with AES-256. Data keys are wrapped by master keys in the key management
service, which are rotated each year.
> Inspected the configuration of all 14 production data stores and determined that encryption at rest was
enabled.
> Inspected the key management service’s log and determined that each master key was rotated within the
year.

[AC-08] CC6.1
Secrets used by services are kept in the secret store, delivered at start, and never written to source code.
A scanner blocks commits that contain one.
> Observed the scanner reject a commit that held a test credential.
> For a sample of 12 services, inspected the deployment manifest and determined that secrets came from the
store only.

[AC-09] CC6.1 CC6.6
Tenants are kept apart by an identifier that the data layer adds to every query and that cannot be set by
the caller. Automated tests for separation run before each release.
> Inspected the code of the data layer and determined that the tenant identifier was taken from the session
alone.
> For a sample of 10 releases, inspected the results of the tests for separation and determined that all had
passed.

[AC-10] CC6.4
Access to offices is by personal badge; visitors sign in and are escorted. No customer data is processed in
offices. Physical security of data centres is the responsibility of the subservice organisation.
> Toured both offices and observed that doors were controlled by badge readers and that visitors were signed
in.
> For a sample of 10 leavers, inspected the badge system and determined that the badge was withdrawn.

[AC-11] CC6.5
Laptops and media are wiped or destroyed before they leave the company’s control, and a certificate is kept.
> For a sample of 12 of the 49 devices retired, inspected the certificate of erasure or destruction.

[AC-12] CC6.6
Firewalls at the boundary of the network deny by default. Rules are kept as code, reviewed with each change
and recertified twice a year.
> Inspected the rule set and determined that the last rule in each zone denied all traffic.
> Inspected both recertifications in the period and, for 10 rules, the change that had introduced them.

[AC-13] CC6.7 C1.1
Data in transit over public networks is protected by TLS 1.2 or later. Removable media are blocked on
laptops.
> Scanned the six public endpoints and determined that earlier versions of the protocol were refused.
> For a sample of 20 laptops, inspected the management console and determined that removable media were
blocked.

[AC-14] CC6.8
Endpoint protection is installed on laptops and on production hosts, is updated at least daily and reports
to the security operations team. Only signed images run in production.
> For a sample of 20 laptops and 18 hosts, inspected the console and determined that protection was active
and current.
> Observed that the admission controller refused an image without a signature.

# System operations

[OP-01] CC7.1
Hosts, images and libraries are scanned for known weaknesses every day. Findings are remedied within the
limits of the policy: critical within 7 days, high within 30, medium within 90.
> Inspected the scanner’s configuration and determined that all production accounts and images were covered.
> For a sample of 30 findings rated critical or high, compared the dates of detection and remedy with the
policy’s limits.

[OP-02] CC7.2
Logs of identity, network, hosts and applications are sent to a central store that is write-once for 400
days, and are searched by detection rules.
> Inspected the store’s retention lock and determined that records could not be altered or removed within
400 days.
> For a sample of 16 hosts and services, traced an event of the day to the central store.

[OP-03] CC7.2 CC7.3
Alerts of the detection rules are triaged by the security operations team at all hours, those rated high
within 30 minutes.
> For a sample of 30 alerts rated high, compared the time of the alert with that of its triage and read the
outcome.
> Inspected the duty roster for three months selected by us and determined that no shift was left open.

[OP-04] CC7.3 CC7.4
An incident response plan defines severity, roles, evidence handling and the times within which customers
are told. It is exercised at least once a year.
> Inspected the plan and its approval in January 2026.
> Inspected the record of the exercise of April 2026 and determined that its five actions were closed.

[OP-05] CC7.4 CC7.5
Incidents are recorded, contained, removed and followed by a written review with actions, within ten working
days of closure.
> For all six incidents rated major or above, inspected the record and the review, and determined that the
review was written within ten working days and that its actions had owners and dates.

[OP-06] CC7.2 A1.1
Capacity, error rates and latency are measured against objectives for each service. A breach pages the
engineer on duty.
> Inspected the objectives and alert rules for a sample of 8 services.
> For a sample of 10 pages, inspected the acknowledgement and determined that it came within 15 minutes.

# Change management

[CM-01] CC8.1
Changes to code and infrastructure are made through a merge request that names its reason, is approved by
someone other than its author, and passes automated tests before it reaches production.
> Inspected branch protection on all 37 production repositories and determined that approval and tests were
enforced.
> For a sample of 40 of the 2,316 changes deployed, inspected the merge request and determined that author
and approver differed and that the tests had passed.

[CM-02] CC8.1
Emergency changes may be deployed by the engineer on duty with one approval by chat, and are reviewed in
full within two working days.
> For a sample of 12 of the 31 emergency changes in the period, inspected the record and determined whether
a full review was completed within two working days.

[CM-03] CC8.1
Development, staging and production are separate accounts. Customer data is not used outside production.
> Inspected the account structure and determined that no network path or role joined staging to production.
> Searched a sample of 6 staging data stores for the markers that production records carry and found none.

[CM-04] CC8.1
Significant changes to architecture are described in a design record that considers security and
availability and is approved by the architecture forum.
> For a sample of 6 of the 17 significant changes, inspected the design record and its approval.

[CM-05] CC8.1 CC6.8
Build artefacts are signed by the build service, which keeps a record of source, dependencies and builder;
deployment checks the signature.
> For a sample of 15 artefacts in production, verified the signature and traced it to the source commit.

# Risk mitigation and suppliers

[VN-01] CC9.1
Insurance and a business continuity plan address the risks of disruption. The plan is reviewed each year by
the owners of the functions that it covers.
> Inspected the certificate of insurance and the plan with its review of June 2026.

[VN-02] CC9.2
Suppliers that process customer data are assessed before they are engaged and each year after that. The
assessment reads the supplier’s own assurance report, exceptions and user-entity controls included.
> For all three suppliers engaged in the period, inspected the assessment and determined that it preceded
the contract.
> For a sample of 6 of the 14 critical suppliers, inspected the annual assessment and the follow-up of its
findings.

[VN-03] CC9.2 C1.1
Contracts with suppliers that process customer data contain duties of confidentiality, security and notice
of incidents.
> For a sample of 8 suppliers, inspected the contract and determined that the duties were included.

# Availability

[AV-01] A1.1
Capacity is forecast each month for the next six months, and orders are placed so that measured peaks stay
below 70 per cent of what is installed.
> For a sample of four months, inspected the forecast and compared measured peaks with installed capacity.

[AV-02] A1.2
The platform runs in three availability zones of the primary region. Loss of a zone is absorbed without
operator action.
> Inspected the deployment of a sample of 8 services and determined that instances ran in three zones.
> Observed the zone exercise of August 2026, in which traffic was served from two zones without breach of
objectives.

[AV-03] A1.2
Data stores are copied continuously to the recovery region and backed up daily. Backups are encrypted and
kept for 35 days under a retention lock.
> Inspected the configuration of replication and backup for all 14 production data stores.
> For a sample of 25 days, inspected the job log and determined that backups completed or were repeated the
same day.

[AV-04] A1.3
Restoring from backup is tested every quarter for each class of data store, and the result is compared with
the recovery objectives of four hours and fifteen minutes.
> For all four quarters, inspected the record of the restore test for each class of data store and
determined whether the test was performed and met the objectives.

[AV-05] A1.3
Failover to the recovery region is exercised once a year with the participation of customer support.
> Inspected the plan and the report of the exercise of March 2026, in which service resumed after 2 hours 51
minutes.

# Confidentiality

[CF-01] C1.1
Information is classified as public, internal, confidential or customer. Handling rules for each class are
part of the awareness training.
> Inspected the standard and the training material and determined that the four classes and their rules were
included.

[CF-02] C1.1
Customer data is reached by support staff only with the customer’s consent in the ticket, for a stated time,
and the customer can see each access.
> For a sample of 20 support sessions, inspected the customer’s consent and compared its term with that of
the session.
> Observed in a test tenant that the session appeared in the customer’s own access history.

[CF-03] C1.2
Customer data is deleted within 30 days of the end of the agreement, and from backups within 35 days more. A
statement of deletion is sent on request.
> For a sample of 9 of the 26 agreements that ended, inspected the deletion job’s record and its date.
> For two of them, searched the live data stores for the tenant identifier and found no records.

[CF-04] C1.2
Paper and media with confidential information are put in locked containers and destroyed by a bonded
supplier each month.
> Toured both offices and observed the locked containers; for a sample of three months, inspected
certificates of destruction.
"""
