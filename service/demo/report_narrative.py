"""The words of the sample report outside the system description: notice, opinion, assertion, method, answers.

Markup, here and in `report_system`: `## ` and `### ` begin headings, `{#name}` at their end is an anchor;
`- ` begins a list item; ``` encloses a listing; `@name` alone in a paragraph stands for a figure or table
that `report` puts there. Paragraphs are parted by an empty line and may hold reportlab’s inline tags.
"""

from service.demo.report_identity import (
    AUDITOR,
    CLOUD,
    COMPANY,
    COMPANY_SHORT,
    CONTACT_MAIL,
    MAILER,
    PERIOD,
    PERIOD_END,
    REPORT_DATE,
    SYSTEM,
    TRUST_URL,
    written,
)

NOTICE = f"""
This report concerns controls at {COMPANY} over its {SYSTEM} system. It was prepared so that customers,
prospective customers and their auditors can understand and assess those controls. It is confidential: it is
lent to named people under an agreement not to disclose it, and each copy bears the name of the person to
whom it was lent.

@facts

## Where to start

- For the conclusion: <a href="#opinion" color="#1d4f73">the opinion</a> in Section I.
- For what did not work as intended: <a href="#exceptions" color="#1d4f73">the summary of exceptions</a> in
Section IV and <a href="#responses" color="#1d4f73">management’s responses</a> in Section V.
- For what remains yours to do: <a href="#cuec" color="#1d4f73">complementary user entity controls</a> in
Section III.
- For how the system is built: <a href="#architecture" color="#1d4f73">architecture</a> and <a
href="#dataflow" color="#1d4f73">data flow</a> in Section III.

Questions about this report reach the assurance team at <a href="mailto:{CONTACT_MAIL}"
color="#1d4f73">{CONTACT_MAIL}</a>. Current certificates, the list of subprocessors and the status history
are found at <a href="{TRUST_URL}" color="#1d4f73">{TRUST_URL}</a>.

<i>This is a specimen. {COMPANY}, {AUDITOR}, the suppliers, people, addresses, figures and events named in
it are invented; no examination took place. Criteria are cited by their public identifiers and described in
our own words.</i>
"""

OPINION_TEXT = f"""
To the management of {COMPANY}

## Scope

We have examined the accompanying description by {COMPANY} (“{COMPANY_SHORT}”) of its {SYSTEM} system, in
Section III, for the period {PERIOD} (the “description”), against the criteria for a description of a
service organisation’s system, and the suitability of the design and the operating effectiveness of the
controls stated in it throughout that period, to provide reasonable assurance that the service commitments
and system requirements of {COMPANY_SHORT} were achieved based on the trust services criteria relevant to
security, availability and confidentiality (the “applicable trust services criteria”).

{COMPANY_SHORT} uses {CLOUD} to host its infrastructure and {MAILER} to send notifications. The description
indicates that complementary controls at these subservice organisations, suitably designed and operating
effectively, are necessary, together with controls at {COMPANY_SHORT}, to achieve its service commitments
and system requirements. It presents the controls of {COMPANY_SHORT} and the types of complementary controls
that are assumed at the subservice organisations; it does not disclose their actual controls. Our
examination did not include the services that they provide, and we have not evaluated the design or
operation of their controls.

The description likewise indicates that complementary user entity controls are necessary. Our examination
did not include them, and we have not evaluated their design or operation.

The information in Section V is presented by management to provide additional information and is not part of
the description. It has not been subjected to the procedures of our examination, and we express no opinion
on it.

## Responsibilities of the service organisation

{COMPANY_SHORT} is responsible for its service commitments and system requirements, and for designing,
implementing and operating effective controls within the system to provide reasonable assurance that they
were achieved. In Section II it has provided an assertion about the description and about the design and
operation of the controls stated in it. It is also responsible for preparing the description and the
assertion, and for their completeness, accuracy and method of presentation; for providing the services that
the description covers; for selecting the applicable trust services criteria and stating the related
controls; and for identifying the risks that threaten the achievement of its service commitments and system
requirements.

## Responsibilities of the service auditor

Our responsibility is to express an opinion on the description and on the suitability of the design and the
operating effectiveness of the controls stated in it, based on our examination. We conducted the examination
in accordance with the attestation standards that apply to engagements of this kind. Those standards require
that we plan and perform the examination to obtain reasonable assurance whether, in all material respects,
the description is presented in accordance with the description criteria, and the controls were suitably
designed and operated effectively. We believe that the evidence we obtained is sufficient and appropriate to
provide a reasonable basis for our opinion.

We are required to be independent of {COMPANY_SHORT} and to meet our other ethical responsibilities in
accordance with the requirements that relate to the engagement. We have done so.

An examination of this kind involves, among other things:

- obtaining an understanding of the system and of the service commitments and system requirements;
- assessing the risks that the description is not presented in accordance with the description criteria and
that controls were not suitably designed or did not operate effectively;
- performing procedures to obtain evidence whether the description is so presented, and whether controls
were suitably designed to provide reasonable assurance that the commitments and requirements would be
achieved if they operated effectively;
- testing the operating effectiveness of the controls; and
- evaluating the overall presentation of the description.

## Inherent limitations

The description is prepared to meet the common needs of a broad range of report users. It may therefore not
include every aspect of the system that an individual user considers important to their own needs. There are
inherent limitations in the effectiveness of any system of internal control, including the possibility of
human error and of controls being circumvented. Because of their nature, controls may not always operate
effectively. Projecting any conclusion about their design or operation to the future is subject to the risk
that controls become inadequate because conditions change, or that the degree to which they are followed
deteriorates.

## Description of tests of controls

The specific controls that we tested, and the nature, timing and results of the tests, are presented in
Section IV. We draw attention to the three exceptions reported there, which concern controls <a
href="#exception-AC-03" color="#1d4f73">AC-03</a>, <a href="#exception-CM-02" color="#1d4f73">CM-02</a> and
<a href="#exception-AV-04" color="#1d4f73">AV-04</a>. We considered them, alone and together, in forming our
opinion, which is not modified in respect of them.

## Opinion {{#opinion}}

In our opinion, in all material respects:

- the description presents the {SYSTEM} system that was designed and implemented throughout the period
{PERIOD} in accordance with the description criteria;
- the controls stated in the description were suitably designed throughout that period to provide reasonable
assurance that the service commitments and system requirements of {COMPANY_SHORT} would be achieved based on
the applicable trust services criteria, if its controls operated effectively and if subservice organisations
and user entities applied the complementary controls assumed in the design; and
- the controls stated in the description operated effectively throughout that period to provide reasonable
assurance that those commitments and requirements were achieved based on the applicable trust services
criteria, if the complementary controls assumed at subservice organisations and user entities operated
effectively.

## Restricted use

This report, including the description of tests of controls and their results, is intended solely for the
information and use of {COMPANY_SHORT}, of user entities of the system during some or all of the period, of
business partners subject to risks arising from interactions with it, of practitioners who serve them, and
of prospective customers and regulators who have sufficient knowledge and understanding of the nature of the
service, of how it interacts with others, of internal control and its limitations, and of the applicable
trust services criteria. It is not intended to be, and should not be, used by anyone else.

@signature-auditor
"""

ASSERTION_TEXT = f"""
## Assertion

We have prepared the description of the {SYSTEM} system in Section III for the period {PERIOD}, based on the
criteria for a description of a service organisation’s system. It is intended to provide report users with
information about the system that may be useful when they assess the risks of using it, in particular
information about the controls that {COMPANY_SHORT} designed, implemented and operated to provide reasonable
assurance that its service commitments and system requirements were achieved based on the trust services
criteria relevant to security, availability and confidentiality.

{COMPANY_SHORT} uses the subservice organisations {CLOUD}, for infrastructure, and {MAILER}, for sending
notifications. The description presents the controls of {COMPANY_SHORT} and the types of complementary
subservice organisation controls assumed in their design. It does not disclose the actual controls at the
subservice organisations. It also presents the complementary user entity controls that are assumed.

We confirm, to the best of our knowledge and belief, that:

- the description presents the system that was designed and implemented throughout the period in accordance
with the description criteria;
- the controls stated in the description were suitably designed throughout the period to provide reasonable
assurance that our service commitments and system requirements would be achieved based on the applicable
trust services criteria, if the controls operated effectively and if subservice organisations and user
entities applied the complementary controls assumed; and
- the controls stated in the description operated effectively throughout the period to provide that
assurance, if the complementary controls of subservice organisations and user entities operated effectively.

## Basis of the assertion

The assertion rests on the internal audit work described under <a href="#control-MN-01"
color="#1d4f73">MN-01</a>, on the automated checks under <a href="#control-MN-02" color="#1d4f73">MN-02</a>,
on sub-certifications by each owner of a control family, collected in October 2026, and on the record of
deficiencies under <a href="#control-MN-03" color="#1d4f73">MN-03</a>. We reviewed the three exceptions that
the auditor noted and concluded that, with the compensating facts described in Section V, they did not
prevent the service commitments and system requirements from being achieved.

No event has come to our knowledge between {written(PERIOD_END)} and {written(REPORT_DATE)} that would
require the description or this assertion to be changed.

@signature-management
"""

METHOD_TEXT = f"""
## Criteria and controls

The applicable trust services criteria are the common criteria, CC1.1 to CC9.2, which serve all categories,
and the additional criteria for availability, A1.1 to A1.3, and for confidentiality, C1.1 and C1.2. The
criteria and the controls of {COMPANY_SHORT} that meet them are the responsibility of management; although
they are presented in this section, they are an integral part of the description in Section III. Each
criterion is met by at least one control, and each control by which a criterion is met was tested.

### Applicable criteria

@criteria
"""

CONTROLS_TEXT = """
### Controls of the service organisation

The table states each control as management describes it. The letters of an identifier name its family; the
number never changes its meaning from one period to the next, so that reports of different years can be
compared.

@controls
"""

MATRIX_TEXT = """
### Criteria and the controls that meet them

@matrix
"""

TESTS_TEXT = f"""
## Tests and results

### How the tests were performed

{AUDITOR} tested the controls on the following pages throughout the period. The nature, timing and extent of
each test follow from the nature of the control, how often it operates, the risk that it treats and the
evidence that it leaves. Where the controls rest on information produced by the entity, its completeness and
accuracy were evaluated: by inspecting the query, by observing its run, or by reconciling its result with
another source.

@procedures

Where a test speaks of a sample, items were drawn at random from the whole population of the period, after
the population had been reconciled with its source. An exception is any instance in which a control did not
operate as described, whatever its size. The result states each of them.

### Sample sizes

@samples
"""

EXCEPTIONS_TEXT = """
### Results in short

The table counts the controls of each family, the tests that were performed on them and the exceptions that
were noted.

@tally

### Summary of exceptions {#exceptions}

Of the controls tested, three operated with an exception. Each is stated again with its test, and
management’s response to each follows in Section V.

@exceptions
"""

RESPONSES_TEXT = """
## Purpose

The information in this section is provided by management. It was not subjected to the procedures of the
examination, and the service auditor expresses no opinion on it.

## Responses to the exceptions noted {#responses}

@responses

## Plan of action

@actions

Progress is reported to the audit and risk committee each quarter. Customers who hold this report can ask
the assurance team for the state of an open action at any time.

## Events after the period

On October 19, 2026 the notification service was moved to a second sending region. The change followed the
process under <a href="#control-CM-01" color="#1d4f73">CM-01</a> and <a href="#control-CM-04"
color="#1d4f73">CM-04</a> and does not alter the description. In January 2027 the retention of security logs
will be raised from 400 to 550 days.
"""
