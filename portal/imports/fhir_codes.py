"""The words of FHIR R4 that reading and writing of Patient resources share."""

MRN_SYSTEM = "urn:patient-portal:mrn"
SHORT_SYSTEM = "urn:patient-portal:identifier:"  # Before our short codes, since FHIR wants a URI.
TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"
TYPE_OF = {"ssn": "SS", "driver": "DL", "passport": "PPN", "insurance": "MB"}
CODE_OF_TYPE = {code: ours for ours, code in TYPE_OF.items()}
CODE_OF_SYSTEM = {"http://hl7.org/fhir/sid/us-ssn": "ssn"}

US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
RACE, ETHNICITY = US_CORE + "race", US_CORE + "ethnicity"
MARITAL_STATUS = "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"
LANGUAGES = "urn:ietf:bcp:47"
REGISTERED_ON = "urn:patient-portal:registered-on"
