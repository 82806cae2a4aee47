"""The systems and codes of FHIR R4 that the reader and the export of Patient resources share."""

MRN_SYSTEM = "urn:patient-portal:mrn"
SHORT_SYSTEM = "urn:patient-portal:identifier:"  # Before our short codes, since FHIR wants a URI.
IDENTIFIER_TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"
TYPE_OF_SYSTEM = {"ssn": "SS", "driver": "DL", "passport": "PPN", "insurance": "MB"}
SYSTEM_OF_TYPE = {code: system for system, code in TYPE_OF_SYSTEM.items()}
SHORT_SYSTEM_OF = {"http://hl7.org/fhir/sid/us-ssn": "ssn"}

US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
RACE, ETHNICITY = US_CORE + "race", US_CORE + "ethnicity"
MARITAL_STATUS = "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"
LANGUAGES = "urn:ietf:bcp:47"
REGISTERED_ON = "urn:patient-portal:registered-on"
