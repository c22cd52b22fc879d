"""The sample report’s controls on governance, communication, risk, monitoring and policy, as text.

One block a control: `[id] criteria`, its description, then each test of the auditor after a `>`.
`report_catalogue` reads it.
"""

GOVERNANCE_CONTROLS = """
# Control environment

[GV-01] CC1.1
A code of conduct sets out expected behaviour, conflicts of interest and the ways to raise a concern.
Personnel acknowledge it when they join and once in every calendar year.
> Inspected the code of conduct and determined that it covered the stated subjects and was approved in the
period.
> For a sample of 25 employees and 6 contractors, inspected acknowledgements and determined that each was
signed within ten days of joining or of the annual campaign.

[GV-02] CC1.2
The board of directors meets each quarter. An audit and risk committee, the majority of whose members are
independent of management, receives a written report on security and availability at each meeting.
> Inspected minutes and papers of all four meetings held in the period and determined that the report on
security and availability had been received and discussed.
> Inspected the committee’s charter and the register of directors’ interests to determine that a majority
was independent of management.

[GV-03] CC1.3
An organisation chart and written role descriptions define reporting lines, authority and responsibility for
security. The Chief Information Security Officer reports to the Chief Executive and has direct access to the
committee.
> Inspected the organisation chart and role descriptions for the eight roles with security duties and
determined that reporting lines and responsibilities were defined.
> Inquired of the Chief Information Security Officer and inspected the calendar of private sessions with the
committee.

[GV-04] CC1.4
Candidates are checked against the requirements of the role, and a background check is completed before
access to production or customer data is granted, as far as local law permits.
> For a sample of 20 of the 71 employees hired in the period, inspected records and determined that a
background check was completed before access to production was granted.

[GV-05] CC1.4 CC2.2
Personnel complete security awareness training within 30 days of joining and every year after that.
Engineers also complete a course on secure development.
> For a sample of 25 employees, inspected training records and determined that awareness training was
completed in time.
> For a sample of 15 engineers, inspected records of the secure development course for the calendar year.

[GV-06] CC1.5
Objectives that include security responsibilities are set each year, and performance against them is
reviewed by the manager. A sanctions procedure applies where policy is disregarded.
> For a sample of 25 employees, inspected performance reviews and determined that they were completed in the
annual cycle.
> Inspected the sanctions procedure and, for the one case in the period, the record of how it was applied.

# Communication and information

[CO-01] CC2.1
System inventories of services, data stores, hosts and owners are generated daily from the deployment
platform, and differences from the approved register are reviewed each month.
> Inspected the inventory on two dates selected by us and compared it with the platform’s own listing,
without difference.
> For a sample of four months, inspected the review and determined that differences were followed to
resolution.

[CO-02] CC2.2
Information security policies are published on the intranet, and personnel are notified of material changes
through the announcement channel within five working days.
> Inspected the intranet and determined that the current version of each policy was available to all
personnel.
> For the three material changes in the period, inspected the announcement and its date.

[CO-03] CC2.2 CC2.3
A reporting address and an anonymous line are available for security concerns from within and without.
Reports are triaged within one working day.
> For a sample of 15 of the 94 reports received, inspected the ticket and determined that triage began
within one working day.
> Called the anonymous line and traced the test report to the queue of the compliance office.

[CO-04] CC2.3
Commitments on security, availability and confidentiality are stated in the master agreement, and the
description of the system is published to customers on the trust pages.
> For a sample of 10 customers, inspected executed agreements and determined that the standard commitments,
or reviewed variations, were included.
> Inspected the trust pages and compared the published description with that of Section III.

[CO-05] CC2.3
Customers are told of planned maintenance at least seven days ahead and of incidents that affect them
through the status page, which is hosted apart from the platform.
> For a sample of 8 maintenance windows, inspected notices and determined that each preceded the window by
seven days.
> For both incidents that affected customers, inspected the posts on the status page and their times.

# Risk assessment

[RM-01] CC3.1 CC3.2
A risk assessment is carried out each year and after significant change. Risks to the service’s commitments
are recorded with an owner, a rating of likelihood and impact, and a treatment.
> Inspected the risk assessment of February 2026 and determined that it identified and rated risks against
the service commitments and that each risk had an owner.
> For a sample of 12 risks rated high or above, inspected evidence that the treatment was carried out or on
schedule.

[RM-02] CC3.3
The risk assessment considers fraud, including misuse of privileged access, collusion with suppliers and
false statements about control performance.
> Inspected the fraud section of the risk assessment and the notes of the workshop at which it was prepared.

[RM-03] CC3.4
Changes in the business, in technology, in law and at suppliers that could affect internal control are
reviewed by the risk forum each month.
> For a sample of five months, inspected minutes of the risk forum and determined that changes had been
considered and actions assigned.

[RM-04] CC3.2 CC7.1
An independent firm tests the platform and its public interfaces for penetration each year. Findings are
tracked until they are retested.
> Inspected the penetration test report of May 2026 and determined that its scope included the public
interfaces.
> For all nine findings, inspected the tracking ticket and the retest and determined that closure met the
policy’s limits.

# Monitoring activities

[MN-01] CC4.1
An internal audit plan covers each control family at least once in two years. Work is performed by people
who do not operate the controls under review.
> Inspected the plan and the four internal audit reports issued in the period and determined that reviewers
were independent of the controls they examined.

[MN-02] CC4.1
Automated checks compare the configuration of cloud accounts, hosts and identity settings with the baseline
every six hours, and open a ticket for each deviation.
> Inspected the configuration of the checks and determined that they ran every six hours and covered all
accounts.
> Introduced, together with an engineer, a deviation in a test account and observed that a ticket opened at
the next run.

[MN-03] CC4.2
Deficiencies found by audits, checks and incidents are recorded, assigned and reported to management each
month until they are closed.
> For a sample of 20 deficiencies, inspected the record and determined that an owner and a due date were
assigned and that overdue items were reported to management.

# Control activities

[PO-01] CC5.1 CC5.2
Each identified risk is mapped to the controls that treat it, and the mapping, including general controls
over technology, is reviewed by the Chief Information Security Officer every year.
> Inspected the mapping and its review of March 2026 and determined that every risk rated medium or above
was linked to at least one control.

[PO-02] CC5.3
Information security policies and the procedures under them are reviewed and approved each year by their
owners.
> Inspected all 19 policies and determined that each had been reviewed and approved within the twelve months
before the end of the period.

[PO-03] CC5.3
Exceptions to policy are requested in writing, approved by the Chief Information Security Officer for at
most 180 days and reviewed before they lapse.
> For a sample of 8 of the 23 policy exceptions granted, inspected the approval, its term and the review at
its end.
"""
