"""Names of columns in German, French, Spanish, Portuguese and Italian.

They are written as `header_key` makes them: without accents and apostrophes, with `_` between
words. A language has a line. A word that means something else in another language, or in English,
counts only beside a word that tells the language. Words for half of a fact, such as the first of
two family names, are missing on purpose: a person decides what becomes of them.
"""

_WORDS = {
    "family_name": """
        nachname familienname zuname
        nom_de_famille nom_usuel nom_dusage
        apellido apellidos
        sobrenome nome_de_familia
        cognome""",
    "given_name": """
        vorname vornamen
        prenom prenoms
        nombre_de_pila
        nome_proprio nomes_proprios primeiro_nome
        nome_di_battesimo""",
    "preferred_name": "rufname spitzname nom_prefere nombre_preferido nome_preferido",
    "prefix": "titel titre titulo titolo",
    "date_of_birth": """
        geburtsdatum geburtstag geb_datum gebdatum geb_dat gebdat geboren_am
        date_de_naissance date_naissance ne_le nee_le ne_e_le
        fecha_de_nacimiento fecha_nacimiento fecha_de_nac fecha_nac f_nacimiento
        data_de_nascimento data_nascimento data_nasc dt_nascimento nascimento
        data_di_nascita data_nascita nato_il""",
    "sex": "geschlecht sexe genre sexo genero sesso genere",
    "email": """
        mail e_mail_adresse email_adresse mailadresse
        courriel adresse_e_mail adresse_email adresse_mail adresse_electronique
        correo correo_electronico
        correio_eletronico endereco_de_email
        posta_elettronica indirizzo_email indirizzo_e_mail""",
    "phone": """
        telefon telefonnummer telefon_nr tel tel_nr
        numero_de_telephone n_de_telephone
        telefono numero_de_telefono
        telefone numero_de_telefone
        numero_di_telefono""",
    "address_line1": """
        strasse strasse_hausnummer strasse_und_hausnummer strasse_nr strasse_hausnr anschrift
        adresse adresse_postale rue
        direccion domicilio calle
        endereco morada rua
        indirizzo""",
    "address_line2": """
        adresszusatz
        complement_dadresse
        complemento""",
    "city": """
        ort wohnort stadt
        ville commune
        ciudad localidad poblacion municipio
        cidade localidade
        citta comune localita""",
    "region": "bundesland kanton departement provincia comunidad_autonoma",
    "postal_code": "plz postleitzahl code_postal codigo_postal cep codice_postale",
    "country": "land pays pais paese",
    "marital_status": """
        familienstand zivilstand
        etat_civil situation_familiale situation_de_famille
        estado_civil
        stato_civile""",
    "language": "sprache langue idioma lingua",
    "deceased_on": """
        sterbedatum todesdatum verstorben_am
        date_de_deces date_deces
        fecha_de_defuncion fecha_defuncion fecha_de_fallecimiento
        data_de_obito data_obito
        data_di_decesso data_decesso data_di_morte""",
    "deceased": "verstorben decede fallecido falecido deceduto",
    "active": "aktiv actif activo ativo attivo",
    "passport": "reisepass passnummer passeport pasaporte passaporte passaporto",
    "driver": "fuehrerschein fuhrerschein permis_de_conduire carnet_de_conducir patente_di_guida",
    "insurance": """
        versichertennummer versicherten_nr versichertennr versicherungsnummer kvnr
        krankenversichertennummer
        numero_dassure numero_assure n_dassure n_assure
        numero_de_afiliado numero_afiliado numero_de_asegurado
        numero_de_beneficiario
        tessera_sanitaria numero_tessera_sanitaria""",
}
FIELD_OF_WORD = {word: field for field, words in _WORDS.items() for word in words.split()}

# The field that a word means if the header has one of the words beside it.
FIELD_BESIDE: dict[str, tuple[str, frozenset[str]]] = {
    "name": ("family_name", frozenset({"vorname", "vornamen"})),
    "nom": ("family_name", frozenset({"prenom", "prenoms"})),
    "nombre": ("given_name", frozenset({"apellido", "apellidos"})),
    "nombres": ("given_name", frozenset({"apellido", "apellidos"})),
    "nome": ("given_name", frozenset({"cognome", "sobrenome", "apelidos"})),
    "apelidos": ("family_name", frozenset({"nome", "nome_proprio", "nomes_proprios"})),
    "cap": ("postal_code", frozenset({"cognome", "citta", "comune", "localita", "indirizzo"})),
}
