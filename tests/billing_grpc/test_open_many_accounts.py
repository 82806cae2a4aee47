"""BatchCreateBillingAccounts: up to 500 in one transaction."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from tests.billing_grpc.caller import EXISTED, OPENED, OTHER_DETAILS, new_patient, refusal


def test_500_patients_get_their_accounts_in_the_order_of_the_requests(billing):
    patients = [new_patient(name=f"Patient {number}") for number in range(500)]
    openings = billing.open_many(patients)
    assert [opening.account.patient_id for opening in openings] == [
        patient.patient_id for patient in patients
    ]
    assert [opening.account.name for opening in openings] == [patient.name for patient in patients]
    assert {opening.outcome for opening in openings} == {OPENED}
    assert len({opening.account.account_id for opening in openings}) == 500
    again = billing.open_many(patients)
    assert [opening.account for opening in again] == [opening.account for opening in openings]
    assert {opening.outcome for opening in again} == {EXISTED}


def test_501_are_refused_and_none_is_opened(billing):
    patients = [new_patient() for _ in range(501)]
    assert refusal(billing.open_many, patients) == (
        "INVALID_ARGUMENT",
        "requests: must be at most 500, not 501",
    )
    assert refusal(billing.get, patients[0].patient_id)[0] == "NOT_FOUND"


def test_names_and_addresses_are_stored_as_they_were_sent(billing):
    """Red when a text is not quoted, or its quotes or backslashes are not escaped."""
    names = [
        'Jo "Jo" O\'Example',
        "back\\slash",
        '\\"',
        "{a,b}",
        "NULL",
        "null",
        "a, b",
        "%s :x",
        "Ôé",
    ]
    patients = [
        new_patient(name=name, email=f'"{at}"@example.org') for at, name in enumerate(names)
    ]
    patients.append(new_patient(email=""))
    accounts = [opening.account for opening in billing.open_many(patients)]
    assert accounts == [billing.get(patient.patient_id) for patient in patients]
    assert [(account.name, account.email) for account in accounts] == [
        (patient.name, patient.email) for patient in patients
    ]


def test_an_empty_batch_has_an_empty_answer(billing):
    assert billing.open_many([]) == []


def test_new_and_known_patients_may_be_mixed(billing):
    known, changed = new_patient(), new_patient()
    before = billing.open_many([known, changed])
    mixed = [new_patient(), new_patient(patient_id=changed.patient_id, name="Other"), known]
    openings = billing.open_many(mixed)
    assert [opening.outcome for opening in openings] == [OPENED, OTHER_DETAILS, EXISTED]
    assert [openings[2].account, openings[1].account] == [opening.account for opening in before]


def test_a_patient_twice_in_a_batch_gets_one_account_by_the_first_mention(billing):
    """Red when the answer takes the last mention for the first."""
    first = new_patient()
    other = new_patient(patient_id=first.patient_id, name="Other Name")
    openings = billing.open_many([first, new_patient(), first, other])
    assert [opening.outcome for opening in openings] == [OPENED, OPENED, EXISTED, OTHER_DETAILS]
    assert openings[0].account == openings[2].account == openings[3].account
    assert openings[0].account.name == first.name


def test_one_wrong_request_is_named_and_nothing_is_opened(billing):
    """Red when the valid half of a batch is kept."""
    patients = [
        new_patient(),
        new_patient(),
        new_patient(),
        new_patient(patient_id="x", email="none"),
    ]
    text = (
        "requests[3].patient_id: must be a UUID of 36 characters; "
        "requests[3].email: must be an e-mail address"
    )
    assert refusal(billing.open_many, patients) == ("INVALID_ARGUMENT", text)
    assert refusal(billing.get, patients[0].patient_id)[0] == "NOT_FOUND"


def test_a_batch_of_wrong_requests_names_the_first_and_counts_the_rest(billing):
    status, text = refusal(billing.open_many, [new_patient(patient_id="x")] * 500)
    assert status == "INVALID_ARGUMENT"
    assert text.startswith("requests[0].patient_id: must be")
    assert text.endswith("; and 480 more")


def test_batches_in_opposite_order_do_not_block_each_other(billing):
    """Red when rows are inserted in the order of the requests: that is a deadlock."""
    for _ in range(5):
        patients, together = [new_patient() for _ in range(200)], Barrier(2)

        def call(batch, together=together):
            together.wait()
            return billing.open_many(batch)

        with ThreadPoolExecutor(2) as callers:
            forth, back = callers.map(call, [patients, patients[::-1]])
        assert [opening.account for opening in forth] == [opening.account for opening in back[::-1]]
        outcomes = [
            {first.outcome, second.outcome} for first, second in zip(forth, back[::-1], strict=True)
        ]
        assert outcomes == [{OPENED, EXISTED}] * 200
